package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/cgbg-go/lab/cgbg/backend"
)

func TestCPU(t *testing.T) {
	w := newWorld(t)
	release := tarball(t, "dir/pjrt_c_api_cpu_v0.114.0_plugin.so", "newer")
	w.files["release.tar.gz"] = release
	ctx := context.Background()

	if err := w.install(ctx, "cpu", false); err != nil { // GitHub does not answer: the wheel
		t.Fatal(err)
	}
	w.installed(t, "cpu", library)
	want := []string{"data", "data/xla", "data/xla/cpu", "data/xla/cpu/about.json",
		"data/xla/cpu/pjrt_c_api_cpu_plugin.so"}
	if got := w.tree(t); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	for _, word := range []string{"MB", "installed", w.dir, "tried", githubRepo} {
		if !strings.Contains(w.out.String(), word) {
			t.Errorf("output does not mention %q:\n%s", word, w.out.String())
		}
	}

	before := w.got.Load()
	if err := w.install(ctx, "cpu", false); err != nil {
		t.Fatal(err)
	}
	if w.got.Load() != before {
		t.Error("the second installation downloaded again")
	}

	w.digest = "sha256:" + sum(release) // GitHub is back, and the plugin to be replaced
	if err := w.install(ctx, "cpu", true); err != nil {
		t.Fatal(err)
	}
	w.installed(t, "cpu", "newer")
	if got := w.tree(t); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}

	w.digest = "" // a file without a checksum, or with a wrong one, is passed over
	for _, digest := range []string{"md5:0", "sha256:" + sum([]byte("other"))} {
		w.digest = digest
		if err := w.install(ctx, "cpu", true); err != nil {
			t.Fatal(err)
		}
		w.installed(t, "cpu", library)
	}
}

func TestCPUByPip(t *testing.T) {
	w := newWorld(t)
	w.index = func(string) (*installer.PipPackageInfo, error) { return nil, errors.New("not reachable") }
	w.pip = func(_ context.Context, requirement, dir string) error {
		if requirement != "xla-cpu-pjrt==0.0.1" {
			t.Errorf("asked pip for %s", requirement)
		}
		for _, data := range w.files {
			return os.WriteFile(filepath.Join(dir, "x.whl"), data, 0o644)
		}
		return nil
	}
	if err := w.install(context.Background(), "cpu", false); err != nil {
		t.Fatal(err)
	}
	w.installed(t, "cpu", library)
}

// TestFailures: whatever goes wrong is an error that says what, and leaves nothing; a plugin that was there stays.
func TestFailures(t *testing.T) {
	const name = "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl"
	tests := map[string]struct {
		breakIt func(t *testing.T, w *world)
		want    error
		text    string
	}{
		"cut off": {func(_ *testing.T, w *world) {
			w.serve = func(rw http.ResponseWriter, _ *http.Request, data []byte) {
				rw.Header().Set("Content-Length", fmt.Sprint(len(data)))
				rw.Write(data[:len(data)/2])
			}
		}, nil, "unexpected EOF"},
		"changed on the way": {func(_ *testing.T, w *world) {
			w.serve = func(rw http.ResponseWriter, _ *http.Request, data []byte) {
				data = slices.Clone(data)
				data[len(data)/2] ^= 1
				rw.Write(data)
			}
		}, ErrChecksum, name},
		"not found": {func(_ *testing.T, w *world) {
			w.serve = func(rw http.ResponseWriter, r *http.Request, _ []byte) { http.NotFound(rw, r) }
		}, nil, "404"},
		"stands still": {func(t *testing.T, w *world) {
			w.stall = 50 * time.Millisecond
			w.serve = func(rw http.ResponseWriter, r *http.Request, data []byte) {
				rw.Write(data[:10])
				rw.(http.Flusher).Flush()
				<-r.Context().Done()
			}
		}, nil, "nothing arrived"},
		"not a wheel": {func(t *testing.T, w *world) { w.files[name] = []byte("<html>"); w.pin(t) }, nil, "zip"},
		"another wheel": {func(t *testing.T, w *world) {
			w.files[name] = wheel(t, map[string]string{"x.py": ""})
			w.pin(t)
		}, fs.ErrNotExist, "none of the files"},
		"does not load": {func(_ *testing.T, w *world) {
			w.try = func(string) (string, error) { return "", errors.New("GLIBC_2.99 not found") }
		}, nil, "GLIBC_2.99"},
		"no network": {func(_ *testing.T, w *world) { w.server.Close() }, nil, "refused"},
		"index does not answer": {func(t *testing.T, w *world) {
			w.quick = 10 * time.Millisecond
			hang := make(chan struct{})
			t.Cleanup(func() { close(hang) })
			w.index = func(string) (*installer.PipPackageInfo, error) { <-hang; return nil, nil }
		}, nil, "no answer"},
	}
	for label, test := range tests {
		for _, present := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, present %v", label, present), func(t *testing.T) {
				w := newWorld(t)
				if present {
					if err := w.install(context.Background(), "cpu", false); err != nil {
						t.Fatal(err)
					}
				}
				before := w.tree(t)
				test.breakIt(t, w)
				err := w.install(context.Background(), "cpu", present)
				if err == nil || test.want != nil && !errors.Is(err, test.want) ||
					!strings.Contains(err.Error(), test.text) {
					t.Errorf("got error %v, want %v that mentions %q", err, test.want, test.text)
				}
				if after := w.tree(t); !slices.Equal(after, before) {
					t.Errorf("left %q, there was %q", after, before)
				}
				if present {
					w.installed(t, "cpu", library)
				}
			})
		}
	}
}

// TestCancel ends the context in the middle of a download.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.serve = func(rw http.ResponseWriter, r *http.Request, data []byte) {
		rw.Header().Set("Content-Length", fmt.Sprint(len(data)))
		rw.Write(data[:10])
		rw.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}
	if err := w.install(ctx, "cpu", false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if left := w.tree(t); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestKilled: what a killed installation left is removed by the next one.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	left := filepath.Join(w.dir, tmpPrefix+"123", "cpu")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.install(context.Background(), "cpu", false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(left)); err == nil {
		t.Error("the leftover is still there")
	}
}

// TestTogether: of two installations at once one downloads, the other finds its work done.
func TestTogether(t *testing.T) {
	w := newWorld(t)
	w.out.Reset()
	errs := make(chan error)
	for range 2 {
		j := *w.job
		j.out = &bytes.Buffer{}
		go func() { errs <- j.install(context.Background(), "cpu", false) }()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Fatal(err)
	}
	if n := w.got.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
}

func TestCUDA(t *testing.T) {
	w := newWorld(t)
	plugin := wheel(t, map[string]string{"jax_plugins/xla_cuda13/xla_cuda_plugin.so": library})
	w.files["jax_cuda13_pjrt-0.12.0.1-py3-none-manylinux_2_27_x86_64.whl"] = plugin
	w.files["jax_cuda13_pjrt-0.12.0.1-py3-none-manylinux_2_27_aarch64.whl"] = []byte("for another machine")
	old := cudaSHA256
	cudaSHA256 = map[string]string{"cuda13": sum(plugin)}
	t.Cleanup(func() { cudaSHA256 = old })
	for version, text := range map[string]string{"13.0.0.9": "too old", "13.1.0.3": "right",
		"14.0.0.1": "another CUDA"} {
		w.files["nvidia_cublas-"+version+"-py3-none-manylinux_2_27_x86_64.whl"] = wheel(t, map[string]string{
			"nvidia/cu13/lib/libcublas.so.13": text, "nvidia/cu13/lib/libcublasLt.so.13": text,
			"cublas.dist-info/METADATA": "",
		})
	}
	w.files["nvidia_nvvm-13.0.1-py3-none-manylinux_2_27_x86_64.whl"] = wheel(t,
		map[string]string{"nvidia/cu13/bin/ptxas": "assembler"})
	if err := w.install(context.Background(), "cuda13", false); err != nil {
		t.Fatal(err, w.out.String())
	}
	w.installed(t, "cuda", library)
	nvidia := filepath.Dir(backend.PluginPath(w.dir, "cuda"))
	for path, want := range map[string]string{ // through the links too, after the move
		filepath.Join(nvidia, "cu13/lib/libcublas.so.13"):        "right",
		filepath.Join(nvidia, "bin/ptxas"):                       "assembler",
		filepath.Join(w.dir, "cuda", "lib", "libcublasLt.so.13"): "right",
	} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, tmpPrefix+"*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestPlatforms(t *testing.T) {
	for _, test := range []struct{ goos, arch, platform string }{
		{"linux", "amd64", "tpu"}, {"linux", "amd64", ""}, {"linux", "amd64", "cuda11"}, {"linux", "arm64", "cuda"},
		{"darwin", "arm64", "cuda"}, {"windows", "amd64", "cpu"}, {"linux", "riscv64", "cpu"},
	} {
		w := newWorld(t)
		w.goos, w.arch = test.goos, test.arch
		if err := w.install(context.Background(), test.platform, false); !errors.Is(err, ErrPlatform) {
			t.Errorf("%+v: got %v, want %v", test, err, ErrPlatform)
		}
		if left := w.tree(t); len(left) > 0 {
			t.Errorf("%+v: left %q", test, left)
		}
	}
}

// TestDriverBranch reads the driver's version as NVIDIA's kernel modules state it, the proprietary one (branch 535,
// from a cluster's /proc) and the open one.
func TestDriverBranch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "version")
	for text, want := range map[string]int{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:": 535,
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)\nGCC " +
			"version:": 580,
		"": 0,
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := driverBranch(file); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	if got := driverBranch(file + "-none"); got != 0 {
		t.Errorf("without a driver: got %d", got)
	}
}
