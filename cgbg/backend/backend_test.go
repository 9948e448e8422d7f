package backend

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// empty gives the test a machine without plugins and without GOMLX_BACKEND.
func empty(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(PluginDirEnv, dir)
	t.Setenv("HOME", dir)
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
	t.Setenv(ConfigEnv, "")
	if findPlugin("cpu") != "" || findPlugin("cuda") != "" {
		t.Skip("a plugin in /usr/local/lib/go-xla cannot be hidden from this test")
	}
	return dir
}

func TestOpenWithoutPlugin(t *testing.T) {
	empty(t)
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "go" || b.Plugin != "" || b.TF32 || b.SIMD != simd() || b.Notes != "" {
		t.Errorf("got %+v, want the Go backend", b)
	}
	line := b.String()
	if !strings.HasPrefix(line, "go on ") || !strings.Contains(line, "full precision") ||
		strings.ContainsAny(line, "\n\r") {
		t.Errorf("description %q: want one line that names backend, device and precision", line)
	}
	if b.Description() != line {
		t.Errorf("Description() = %q, want String() = %q", b.Description(), line)
	}
	if got := Installed(); !slices.Equal(got, []string{"go"}) {
		t.Errorf("Installed() = %q, want go alone", got)
	}
}

func TestBadNames(t *testing.T) {
	dir := empty(t)
	tests := []struct {
		name string
		want error
	}{
		{"tensorflow", ErrUnknown},
		{"", ErrUnknown},
		{"gpu:0", ErrUnknown},
		{"xla:metal", ErrUnknown},
		{"xla:cpu", ErrMissing},
		{"xla:cuda", ErrMissing},
		{"xla", ErrMissing},
		{"xla:" + filepath.Join(dir, "none.so"), os.ErrNotExist},
		{"go:no_such_option", nil},
		{"go:parallelism=x", nil},
	}
	for _, test := range tests {
		if !HasXLA && strings.HasPrefix(test.name, "xla") {
			test.want = ErrUnknown
		}
		t.Run(test.name, func(t *testing.T) {
			b, err := OpenNamed(test.name)
			if err == nil {
				t.Fatalf("opened %v", b)
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if test.want == ErrMissing && !strings.Contains(err.Error(), "kernel install -xla") {
				t.Errorf("%v: does not say how to install the plugin", err)
			}
			if test.name != "" {
				t.Setenv(ConfigEnv, test.name)
				if _, err := Open(); err == nil || !strings.Contains(err.Error(), ConfigEnv) {
					t.Errorf("Open with %s=%q: got error %v, want one that names the variable", ConfigEnv, test.name,
						err)
				}
			}
		})
	}
}

// TestBrokenPlugin: a plugin that does not load is passed over, with the reason kept; asked for by name it is an error.
func TestBrokenPlugin(t *testing.T) {
	if !HasXLA {
		t.Skip("built without cgo: plugins are never opened")
	}
	path := PluginPath(empty(t), "cpu")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "go" || !strings.Contains(b.String(), path) {
		t.Errorf("got %q, want the Go backend and the reason, naming %s", b, path)
	}
	if _, err := OpenNamed("xla:cpu"); err == nil {
		t.Error("opened a broken plugin by name")
	}
}

func TestPluginDir(t *testing.T) {
	tests := []struct{ env, xdg, home, want string }{
		{"/a/b", "/x", "/h", "/a/b"},
		{"", "/x", "/h", "/x/cgbg/xla"},
		{"", "", "/h", "/h/.local/share/cgbg/xla"},
		{"", "relative", "/h", "/h/.local/share/cgbg/xla"}, // the XDG specification says to ignore it
	}
	for _, test := range tests {
		t.Setenv(PluginDirEnv, test.env)
		t.Setenv("XDG_DATA_HOME", test.xdg)
		t.Setenv("HOME", test.home)
		if got := PluginDir(); got != filepath.FromSlash(test.want) {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}

func TestCandidates(t *testing.T) {
	empty(t)
	list := Candidates()
	names := []string{}
	for _, c := range list {
		names = append(names, c.Name)
		if c.Status == "" {
			t.Errorf("%s: no status", c.Name)
		}
	}
	if !slices.Equal(names, []string{"xla:cuda", "xla:cpu", "go"}) {
		t.Errorf("got %q", names)
	}
	if c := list[1]; c.OK || !strings.Contains(c.Status, PluginDir()) ||
		c.Advice != "go run ./kernel install -xla cpu" {
		t.Errorf("missing CPU plugin reported as %+v", c)
	}
	if !list[2].OK {
		t.Error("the Go backend is reported as not usable")
	}
}

// TestMatMulAndGradient compares every installed backend with a float64 loop: y = x·w, L = Σ y²/2, dL/dw = xᵀ·y.
func TestMatMulAndGradient(t *testing.T) {
	const n, k, m = 37, 19, 23
	rng := rand.New(rand.NewPCG(1, 2))
	x, w := uniform(rng, n*k), uniform(rng, k*m)
	y := product(x, w, n, k, m)
	want := make([]float64, k*m)
	for i := range n {
		for a := range k {
			for j := range m {
				want[a*m+j] += float64(x[i*k+a]) * y[i*m+j]
			}
		}
	}
	for _, name := range Installed() {
		t.Run(name, func(t *testing.T) {
			b, err := OpenNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			if b.Name != name || b.TF32 {
				t.Errorf("opened %q, TF32 %v", b.Name, b.TF32)
			}
			out, err := graph.CallOnceN(b.Backend, func(x, w *graph.Node) []*graph.Node {
				y := graph.MatMul(x, w)
				loss := graph.MulScalar(graph.ReduceAllSum(graph.Square(y)), 0.5)
				return append(graph.Gradient(loss, w), y)
			}, tensors.FromFlatDataAndDimensions(x, n, k), tensors.FromFlatDataAndDimensions(w, k, m))
			if err != nil {
				t.Fatal(err)
			}
			// A float32 sum of k (n for the gradient) products of numbers below 1 errs by at most k·ε each.
			near(t, "x·w", tensors.MustCopyFlatData[float32](out[1]), y, k*k*6e-8)
			near(t, "gradient", tensors.MustCopyFlatData[float32](out[0]), want, n*n*k*6e-8)
		})
	}
}

// TestDeterminism: the same graph and seed give the same bits, run after run and for any number of threads on the Go
// backend, and run after run on XLA.
func TestDeterminism(t *testing.T) {
	const n, k, m = 700, 128, 96
	rng := rand.New(rand.NewPCG(3, 4))
	x, w := uniform(rng, n*k), uniform(rng, k*m)
	names := append(Installed(), "go:parallelism=1", "go:parallelism=3")
	results := map[string][]float32{}
	for _, name := range names {
		for range 3 {
			b, err := OpenNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			out, err := graph.CallOnce(b.Backend, func(x, w *graph.Node) *graph.Node {
				_, noise := graph.RandomNormal(graph.RNGStateFromSeedForGraph(x.Graph(), 5), x.Shape())
				y := graph.MatMul(graph.Add(x, noise), w)
				loss := graph.ReduceAllSum(graph.Square(graph.Tanh(y)))
				return graph.Gradient(loss, w)[0]
			}, tensors.FromFlatDataAndDimensions(x, n, k), tensors.FromFlatDataAndDimensions(w, k, m))
			if err != nil {
				t.Fatal(err)
			}
			kind, _, _ := strings.Cut(name, ":")
			got := tensors.MustCopyFlatData[float32](out)
			if want, ok := results[kind]; !ok {
				results[kind] = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: another run gave other bits", name)
			}
		}
	}
}

// BenchmarkMatMul is the product that a flow's first layer takes for 10240 rows, float32.
func BenchmarkMatMul(b *testing.B) {
	const n, k, m = 10240, 128, 512
	rng := rand.New(rand.NewPCG(1, 2))
	x, w := uniform(rng, n*k), uniform(rng, k*m)
	for _, name := range Installed() {
		be, err := OpenNamed(name)
		if err != nil {
			b.Fatal(err)
		}
		if be.SIMD {
			name += "+simd"
		}
		b.Run(fmt.Sprintf("%s/%dx%dx%d", name, n, k, m), func(b *testing.B) {
			exec, err := graph.NewExec(be.Backend, func(x, w *graph.Node) *graph.Node { return graph.MatMul(x, w) })
			if err != nil {
				b.Fatal(err)
			}
			tx, tw := tensors.FromFlatDataAndDimensions(x, n, k), tensors.FromFlatDataAndDimensions(w, k, m)
			for b.Loop() {
				out, err := exec.Call(tx, tw)
				if err != nil {
					b.Fatal(err)
				}
				if err := out[0].ConstFlatData(func(any) {}); err != nil { // waits for the result
					b.Fatal(err)
				}
				out[0].MustFinalizeAll()
			}
			b.ReportMetric(2*n*k*m*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func Example() {
	b, err := OpenNamed("go") // Open() chooses the fastest one
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := graph.MustExecOnce(b.Backend, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(x) },
		[]float32{1, 2, 3})
	fmt.Println(b.Name, sum.Value())
	// Output: go 6
}

func uniform(rng *rand.Rand, n int) []float32 {
	data := make([]float32, n)
	for i := range data {
		data[i] = rng.Float32()*2 - 1
	}
	return data
}

func product(x, w []float32, n, k, m int) []float64 {
	y := make([]float64, n*m)
	for i := range n {
		for j := range m {
			for a := range k {
				y[i*m+j] += float64(x[i*k+a]) * float64(w[a*m+j])
			}
		}
	}
	return y
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-want[i]))
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: off by %g, want at most %g", what, worst, tolerance)
	}
}

// A process has one backend of each choice.
func TestOpenShares(t *testing.T) {
	t.Setenv(ConfigEnv, "go")
	open := func() *Backend {
		t.Helper()
		b, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := open()
	if again := open(); again != first {
		t.Error("a second call opened another backend")
	}
	t.Setenv(ConfigEnv, "go:ops_parallel")
	other := open()
	if other == first {
		t.Error("with other settings: got the same backend")
	}
	other.Finalize()
	if again := open(); again == other || again.IsFinalized() {
		t.Error("after Finalize: got a backend that is finalized")
	}
}
