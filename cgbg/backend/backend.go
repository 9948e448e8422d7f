// Package backend opens the compute backend that runs the models' graphs.
//
// The environment variable GOMLX_BACKEND decides when it is set. Otherwise an installed XLA plugin is used, NVIDIA's
// first where there is a GPU, then the one for the CPU; and where there is none, GoMLX's own Go backend, which needs
// nothing installed. XLA needs cgo: a program built with CGO_ENABLED=0, or with the tag noxla, has the Go backend only.
// Nothing is ever downloaded from here; `kernel install -xla cpu|cuda` puts a plugin where this package looks.
//
// Matrix products are computed in full float32 precision: TF32, the default on NVIDIA GPUs, is switched off, since
// its 10-bit mantissa is too coarse for anything that enters a log-density.
//
// Source: github.com/gomlx/compute (the interface), github.com/gomlx/go-xla (PJRT).
package backend

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// ConfigEnv is the environment variable that chooses the backend, as in GoMLX: "go", "xla", "xla:cpu", "xla:cuda",
// "xla:/path/to/plugin.so", each with optional settings after commas ("xla:cuda,tf32=true").
const ConfigEnv = compute.ConfigEnvVar

// ErrUnknown is the error of a backend name that does not exist, or that this program was built without.
var ErrUnknown = errors.New("unknown backend")

// Backend is an open compute backend and what is worth knowing about it. Hand its field Backend to GoMLX.
type Backend struct {
	compute.Backend

	Name   string // the choice: "go", "xla:cpu", "xla:cuda", or "xla:" and a plugin's path
	Device string // the processor that it computes on
	SIMD   bool   // whether the Go backend's vector code is in use; false on XLA, which brings its own
	TF32   bool   // whether float32 products may be rounded to TF32; false unless asked for
	Plugin string // path of the XLA plugin; empty on the Go backend
	Notes  string // why a better choice was not taken; empty where there was none
}

// Open opens the backend that GOMLX_BACKEND names or, where that is not set, the fastest one installed. With
// GOMLX_BACKEND set a failure is an error; otherwise an XLA plugin that does not work is passed over, and the reason
// is kept in Notes.
//
// A process has one of each: a second call gives what the first one opened, unless the choice has changed or it was
// finalized. It is shared, so leave it to the end of the program; OpenNamed opens one of your own.
func Open() (*Backend, error) {
	choice := fmt.Sprint(os.Getenv(ConfigEnv), plugins(), HasGPU())
	opened.Lock()
	defer opened.Unlock()
	if b := opened.backends[choice]; b != nil && !b.IsFinalized() {
		return b, nil
	}
	b, err := open()
	if err == nil {
		opened.backends[choice] = b
	}
	return b, err
}

// opened are the backends of this process, by what decided on them.
var opened = struct {
	sync.Mutex
	backends map[string]*Backend
}{backends: map[string]*Backend{}}

func open() (*Backend, error) {
	if config := os.Getenv(ConfigEnv); config != "" {
		b, err := OpenNamed(config)
		if err != nil {
			return nil, fmt.Errorf("%w (%s=%q chose it; unset it for the default)", err, ConfigEnv, config)
		}
		return b, nil
	}
	var notes []string
	for _, p := range plugins() {
		if p.kind == "cuda" && !HasGPU() {
			notes = append(notes, "XLA plugin for CUDA is installed, but no NVIDIA GPU was found")
			continue
		}
		b, err := OpenNamed("xla:" + p.path)
		if err != nil {
			notes = append(notes, oneLine(err))
			continue
		}
		b.Name = "xla:" + p.kind
		b.Notes = strings.Join(notes, "; ")
		return b, nil
	}
	b, err := OpenNamed("go")
	if err != nil {
		return nil, err
	}
	b.Notes = strings.Join(notes, "; ")
	return b, nil
}

// OpenNamed opens the backend of that name: "go", "xla" (CUDA where there is a GPU, else CPU), "xla:cpu", "xla:cuda",
// "xla:" and the path of a plugin, each with GoMLX's settings after commas. It returns an error, which wraps ErrUnknown
// for a name that does not exist and says how to install a plugin that is missing.
func OpenNamed(name string) (b *Backend, err error) {
	defer func() { // GoMLX panics on some bad settings
		if r := recover(); r != nil {
			b, err = nil, fmt.Errorf("backend: opening %q: %v", name, r)
		}
	}()
	kind, config, _ := strings.Cut(name, ":")
	if before, after, ok := strings.Cut(kind, ","); ok { // "xla,tf32=true" has no plugin name
		kind, config = before, ","+after
	}
	switch kind {
	case "go":
		return openGo(name, config)
	case "xla", "stablehlo", "shlo", "hlo":
		return openXLA(name, config)
	}
	return nil, fmt.Errorf("backend: %w %q: use go, xla, xla:cpu, xla:cuda or xla:/path/to/plugin.so", ErrUnknown, name)
}

// Installed lists the names that OpenNamed can be expected to open here: "go" first, then the XLA plugins found.
// Tests that compare backends run over it.
func Installed() []string {
	names := []string{"go"}
	if !HasXLA {
		return names
	}
	for _, p := range plugins() {
		if p.kind == "cpu" || HasGPU() {
			names = append(names, "xla:"+p.kind)
		}
	}
	return names
}

// String describes the choice in one line: backend, device, precision, SIMD, and why it was not a faster one.
func (b *Backend) String() string {
	s := b.Name + " on " + b.Device
	switch {
	case b.TF32:
		s += ", float32 products in TF32"
	default:
		s += ", float32 products in full precision"
	}
	if b.Plugin == "" {
		if b.SIMD {
			s += ", SIMD"
		} else {
			s += ", no SIMD" + simdAdvice()
		}
	}
	if b.Notes != "" {
		s += " (" + b.Notes + ")"
	}
	return s
}

// Description returns the line to print once and to store with results; it is String.
func (b *Backend) Description() string { return b.String() }

// openGo opens the Go backend with its operations one after another, each parallel within, unless the caller says
// otherwise. Its default, several operations at a time, deadlocks in compute v0.1.3: the operations hold all workers
// of the pool, and each waits there for a worker to run its matrix product.
func openGo(name, config string) (*Backend, error) {
	config = strings.TrimPrefix(config, ",")
	if !strings.Contains(config, "ops_") {
		config = strings.TrimPrefix(config+",ops_sequential", ",")
	}
	inner, err := gobackend.New(config)
	if err != nil {
		return nil, fmt.Errorf("backend: opening %q: %w", name, err)
	}
	return &Backend{
		Backend: inner,
		Name:    "go",
		Device:  fmt.Sprintf("%d threads of %s", runtime.GOMAXPROCS(0), cpuModel()),
		SIMD:    simd(),
	}, nil
}

// openXLA resolves "cpu", "cuda" and "" to an installed plugin's path, adds the settings of this package where the
// caller gave none, and opens the plugin.
func openXLA(name, config string) (*Backend, error) {
	if !HasXLA {
		return nil, fmt.Errorf("backend: %w %q: this program was built without XLA; build it with cgo (a C compiler "+
			"and CGO_ENABLED=1)", ErrUnknown, name)
	}
	settings := strings.Split(config, ",")
	want := settings[0]
	path, kind, err := resolve(want)
	if err != nil {
		return nil, fmt.Errorf("backend: opening %q: %w", name, err)
	}
	given := func(key string) bool {
		return slices.ContainsFunc(settings[1:], func(s string) bool {
			k, _, _ := strings.Cut(s, "=")
			return strings.TrimPrefix(k, "no") == key
		})
	}
	settings[0] = path
	if !given("tf32") {
		settings = append(settings, "tf32=false")
	}
	if kind == "cuda" && !given("shared_buffers") {
		// go-xla goes by the path's letters, and a path may contain "cpu"
		settings = append(settings, "noshared_buffers")
	}
	inner, tf32, err := newXLA(strings.Join(settings, ","))
	if err != nil {
		return nil, fmt.Errorf("backend: opening %q (plugin %s): %w", name, path, err)
	}
	b := &Backend{Backend: inner, Name: "xla:" + want, TF32: tf32, Plugin: path}
	if want == "" {
		b.Name = "xla:" + kind
	}
	b.Device = xlaDevice(inner, kind)
	return b, nil
}

// oneLine returns an error's text without line breaks or stack.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
