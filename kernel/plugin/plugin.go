// Package plugin installs the XLA plugins (PJRT) that package backend looks for. It runs when it is asked to, by
// `kernel install -xla cpu|cuda`; nothing else in the repository downloads anything by itself.
//
// A plugin is fetched into a temporary folder, held to its SHA-256 checksum, unpacked, loaded once where that is
// possible, and only then moved into place whole: what goes wrong on the way leaves nothing behind.
//
// For the CPU it is the plugin that go-xla publishes on GitHub and, where GitHub does not answer within seconds, the
// wheel xla-cpu-pjrt of the Python package index. For NVIDIA GPUs it is the plugin of JAX with the libraries it
// requires, from that index too, which go-xla knows how to ask; Python itself is not needed.
package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/keep"
)

// Errors that a caller may want to tell apart.
var (
	ErrPlatform = errors.New("no such XLA plugin for this machine") // Install was asked for one that does not exist
	ErrChecksum = errors.New("wrong SHA-256 checksum")              // what arrived is not what was published
)

// Install fetches the XLA plugin for a platform into backend.PluginDir and tells on out how it goes. It does nothing if
// one is there already.
//
// platform: "cpu" (Linux on x86-64 or arm64, macOS on arm64), or "cuda" (Linux on x86-64; "cuda12" or "cuda13" to
// choose, "cuda" takes what the GPU's driver can run). Several installations at once wait for each other.
// ctx: its end stops the installation, and nothing is left of it.
func Install(ctx context.Context, platform string, out io.Writer) error {
	return newJob(out).install(ctx, platform, false)
}

// Reinstall is Install, but it replaces a plugin that is there.
func Reinstall(ctx context.Context, platform string, out io.Writer) error {
	return newJob(out).install(ctx, platform, true)
}

// job is an installation; tests put other services and checks in.
type job struct {
	dir    string
	out    io.Writer
	client *http.Client
	github string                                                   // address of GitHub's API
	index  func(name string) (*installer.PipPackageInfo, error)     // the Python package index
	pip    func(ctx context.Context, requirement, dir string) error // pip download, with the index that pip is set to
	try    func(path string) (string, error)                        // loads a plugin and describes it
	// a download that stands still for so long has failed
	stall time.Duration
	quick time.Duration // how long a source may take to answer at all
	goos  string
	arch  string
}

func newJob(out io.Writer) *job {
	return &job{
		dir: backend.PluginDir(), out: out, client: &http.Client{},
		github: "https://api.github.com", index: installer.GetPipInfo, pip: pipDownload, try: tryLoad,
		stall: time.Minute, quick: 6 * time.Second, goos: runtime.GOOS, arch: runtime.GOARCH,
	}
}

// about is the note kept beside a plugin on where it came from.
type about struct {
	Source string `json:"source"`
	SHA256 string `json:"sha256"` // of the archive that it came in
}

func (j *job) install(ctx context.Context, platform string, force bool) (err error) {
	kind := strings.TrimRight(platform, "0123456789")
	var sources []source
	switch kind {
	case "cpu":
		sources = j.cpuSources()
	case "cuda":
		sources, err = j.cudaSources(platform)
	}
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("plugin: %w: %q on %s/%s; there are cpu (Linux x86-64 and arm64, macOS arm64) and cuda "+
			"(Linux x86-64)",
			ErrPlatform, platform, j.goos, j.arch)
	}
	if j.dir == "" {
		return fmt.Errorf("plugin: no home directory to install into; set %s", backend.PluginDirEnv)
	}
	created, err := firstMissing(j.dir)
	if err != nil {
		return fmt.Errorf("plugin: %w", err)
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return fmt.Errorf("plugin: creating %s: %w; set %s to a folder that can be written", j.dir, err,
			backend.PluginDirEnv)
	}
	defer func() {
		if err != nil && created != "" {
			removeEmpty(j.dir, created)
		}
	}()
	unlock, err := lock(ctx, j.dir)
	if err != nil {
		return fmt.Errorf("plugin: waiting for another installation into %s: %w", j.dir, err)
	}
	defer unlock()
	if final := backend.PluginPath(j.dir, kind); !force {
		if _, err := os.Stat(final); err == nil {
			fmt.Fprintf(j.out, "the XLA plugin for %s is installed: %s\n", kind, final)
			return nil
		}
	}
	return j.installFrom(ctx, kind, sources)
}

// installFrom tries the sources in turn. A wrong checksum is a reason to try the next one too, which has its own.
func (j *job) installFrom(ctx context.Context, kind string, sources []source) error {
	j.sweep()
	var failures error
	for i, s := range sources {
		err := j.installOne(ctx, kind, s)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("plugin: installing %s: %w", s.name, ctx.Err())
		}
		if i < len(sources)-1 {
			fmt.Fprintf(j.out, "%s: not available: %v\n", s.name, err)
		}
		if failures == nil {
			failures = fmt.Errorf("%s: %w", s.name, err)
		} else {
			failures = fmt.Errorf("%w; %s: %w", failures, s.name, err)
		}
	}
	return fmt.Errorf("plugin: installing the XLA plugin for %s: nothing was changed: %w", kind, failures)
}

// installOne fetches, checks and unpacks one source in a temporary folder and moves the result into place.
func (j *job) installOne(ctx context.Context, kind string, s source) (err error) {
	tmp, err := os.MkdirTemp(j.dir, tmpPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	note, err := s.fetch(ctx, tmp)
	if err != nil {
		return err
	}
	path := backend.PluginPath(tmp, kind)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return fmt.Errorf("there is no plugin in what was fetched: %w", errors.Join(err, fs.ErrNotExist))
	}
	described, err := j.try(path)
	if err != nil {
		return fmt.Errorf("the plugin does not load here: %w", err)
	}
	data, err := json.MarshalIndent(note, "", "  ")
	if err != nil {
		return err
	}
	if err := keep.WriteFile(filepath.Join(tmp, kind, "about.json"), append(data, '\n')); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := replace(filepath.Join(tmp, kind), filepath.Join(j.dir, kind), filepath.Join(tmp, "old")); err != nil {
		return err
	}
	fmt.Fprintf(j.out, "installed the XLA plugin for %s from %s: %s\n", kind, note.Source,
		backend.PluginPath(j.dir, kind))
	if described != "" {
		fmt.Fprintln(j.out, described)
	}
	return nil
}

const tmpPrefix = ".fetching-"

// sweep removes what an installation left that was killed; the caller holds the lock, so that none is at work.
func (j *job) sweep() {
	left, _ := filepath.Glob(filepath.Join(j.dir, tmpPrefix+"*"))
	for _, dir := range left {
		os.RemoveAll(dir)
	}
}

// replace moves a folder to its place, where an older one may be; that one goes to old first.
func replace(from, to, old string) error {
	err := os.Rename(to, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		if back := os.Rename(old, to); back != nil && !errors.Is(back, fs.ErrNotExist) {
			return errors.Join(err, back)
		}
		return err
	}
	return nil
}

// firstMissing returns the highest folder on the path that does not exist yet, or "".
func firstMissing(dir string) (string, error) {
	missing := ""
	for {
		_, err := os.Stat(dir)
		if err == nil {
			return missing, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		missing = dir
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
		} else {
			return "", err
		}
	}
}

// removeEmpty removes the folders from dir up to top, as long as they are empty.
func removeEmpty(dir, top string) {
	for os.Remove(dir) == nil && dir != top {
		dir = filepath.Dir(dir)
	}
}

// tryLoad opens a plugin and describes it. Where that cannot be done, for want of cgo or of a GPU, it says so.
func tryLoad(path string) (string, error) {
	if !backend.HasXLA {
		return "not tried: this program was built without cgo, which XLA needs; install a C compiler to use it", nil
	}
	if strings.Contains(filepath.Base(path), "cuda") && !backend.HasGPU() {
		return "not tried: there is no NVIDIA GPU here", nil
	}
	b, err := backend.OpenNamed("xla:" + path)
	if err != nil {
		return "", err
	}
	defer b.Finalize()
	return "it works on " + b.Device, nil
}
