package plugin

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/cgbg-go/lab/cgbg/backend"
)

const library = "this stands for a shared library"

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// wheel returns a zip archive of files.
func wheel(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tarball returns a gzipped tar archive of one file.
func tarball(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755,
		Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// world is a machine with GitHub and a package index of its own. Files and what is said about them can be changed.
type world struct {
	*job
	out    bytes.Buffer
	server *httptest.Server
	files  map[string][]byte
	digest string // that GitHub states for the release's file; "" for no GitHub
	serve  func(w http.ResponseWriter, r *http.Request, data []byte)
	got    atomic.Int32 // files asked for
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{files: map[string][]byte{}}
	w.serve = func(rw http.ResponseWriter, _ *http.Request, data []byte) { rw.Write(data) }
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/repos/") {
			if w.digest == "" {
				http.Error(rw, "gone", http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintf(rw,
				`{"assets":[{"name":"other.tar.gz"},{"name":"pjrt_cpu_linux_amd64.tar.gz",`+
					`"browser_download_url":"%s/release.tar.gz","digest":%q}]}`,
				w.server.URL, w.digest)
			return
		}
		data, ok := w.files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		w.got.Add(1)
		w.serve(rw, r, data)
	}))
	t.Cleanup(w.server.Close)
	w.job = &job{
		dir: filepath.Join(t.TempDir(), "data", "xla"), out: &w.out, client: w.server.Client(), github: w.server.URL,
		index: w.pipInfo,
		pip:   func(context.Context, string, string) error { return errors.New("no pip") },
		try:   func(string) (string, error) { return "tried", nil },
		stall: time.Minute, quick: time.Minute, goos: "linux", arch: "amd64",
	}
	w.files["xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl"] = wheel(t, map[string]string{
		"xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so": library, "xla_plugins/xla_cpu_pjrt/__init__.py": "",
	})
	w.pin(t)
	return w
}

// pin makes the wheel's checksum the one that is expected, for this test.
func (w *world) pin(t *testing.T) {
	old := wheelSHA256
	wheelSHA256 = map[string]string{"amd64": sum(w.files["xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl"])}
	t.Cleanup(func() { wheelSHA256 = old })
}

// pipInfo answers from the files: name-version-….whl.
func (w *world) pipInfo(name string) (*installer.PipPackageInfo, error) {
	info := &installer.PipPackageInfo{Releases: map[string][]installer.PipReleaseInfo{}}
	for file, data := range w.files {
		parts := strings.Split(file, "-")
		if parts[0] != strings.ReplaceAll(name, "-", "_") {
			continue
		}
		info.Releases[parts[1]] = append(info.Releases[parts[1]], installer.PipReleaseInfo{
			PackageType: "bdist_wheel", Filename: file, URL: w.server.URL + "/" + file,
			Digests: map[string]string{"sha256": sum(data)},
		})
	}
	if strings.HasSuffix(name, "-plugin") {
		info.Info.RequiresDist = []string{`nvidia-cublas>=13.0.0.19; extra == "with-cuda"`,
			`nvidia-nvvm; extra == "with-cuda"`, "jax-cuda13-pjrt==0.12.0.1"}
	}
	if len(info.Releases) == 0 && info.Info.RequiresDist == nil {
		return nil, fmt.Errorf("no package %s", name)
	}
	return info, nil
}

// tree lists the files below the plugin folder's parent, which no failed installation may add to.
func (w *world) tree(t *testing.T) []string {
	t.Helper()
	var names []string
	root := filepath.Dir(filepath.Dir(w.dir))
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if path != root {
			rel, _ := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (w *world) installed(t *testing.T, kind, want string) {
	t.Helper()
	got, err := os.ReadFile(backend.PluginPath(w.dir, kind))
	if err != nil || string(got) != want {
		t.Fatalf("installed %q, %v; want %q\n%s", got, err, want, w.out.String())
	}
}
