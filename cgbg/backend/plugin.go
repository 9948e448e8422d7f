package backend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// PluginDirEnv is the environment variable that says where XLA plugins are installed and looked for first.
const PluginDirEnv = "CGBG_XLA_DIR"

// PluginDir returns the folder where `kernel install -xla` puts plugins: $CGBG_XLA_DIR, or cgbg/xla in $XDG_DATA_HOME,
// which is ~/.local/share where it is not set. It is empty where there is no home directory either.
func PluginDir() string {
	if dir := os.Getenv(PluginDirEnv); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "cgbg", "xla")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share", "cgbg", "xla")
}

// PluginPath returns the path in a plugin folder where the plugin for a platform ("cpu" or "cuda") belongs. NVIDIA's
// lies as deep as it does because it finds its libraries by paths relative to itself.
func PluginPath(dir, platform string) string {
	name := "pjrt_c_api_" + platform + "_plugin" + libraryExt()
	if platform == "cuda" {
		return filepath.Join(dir, "cuda", "lib", "go-xla", "nvidia", name)
	}
	return filepath.Join(dir, platform, name)
}

// plugin is an installed XLA plugin.
type plugin struct {
	kind string // "cuda" or "cpu"
	path string // absolute
}

// plugins lists the installed plugins, one a kind, CUDA before CPU. It looks at names only, it loads nothing.
func plugins() []plugin {
	var found []plugin
	for _, kind := range []string{"cuda", "cpu"} {
		if path := findPlugin(kind); path != "" {
			found = append(found, plugin{kind, path})
		}
	}
	return found
}

// findPlugin returns the path of the plugin of a kind: ours, else one that go-xla's own installer left.
func findPlugin(kind string) string {
	if dir := PluginDir(); dir != "" {
		if path := PluginPath(dir, kind); isFile(path) {
			return path
		}
	}
	for _, dir := range otherDirs() {
		if path := filepath.Join(dir, "pjrt_c_api_"+kind+"_plugin"+libraryExt()); isFile(path) {
			return path
		}
		versions, _ := filepath.Glob(filepath.Join(dir, "pjrt_c_api_"+kind+"_v*_plugin"+libraryExt()))
		if len(versions) > 0 {
			return versions[len(versions)-1]
		}
	}
	return ""
}

// otherDirs are the folders that go-xla v0.4.1 documents for plugins, those that can be absolute.
func otherDirs() []string {
	var dirs []string
	for dir := range strings.SplitSeq(os.Getenv("PJRT_PLUGIN_LIBRARY_PATH"), ":") {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		lib := filepath.Join(home, ".local", "lib", "go-xla")
		if runtime.GOOS == "darwin" {
			lib = filepath.Join(home, "Library", "Application Support", "go-xla")
		}
		dirs = append(dirs, lib, filepath.Join(lib, "nvidia"))
	}
	return append(dirs, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia")
}

// resolve turns what follows "xla:" into a plugin's absolute path and its kind.
func resolve(want string) (path, kind string, err error) {
	switch want {
	case "":
		for _, p := range plugins() {
			if p.kind == "cpu" || HasGPU() {
				return p.path, p.kind, nil
			}
		}
		return "", "", missing("cpu")
	case "cpu", "cuda":
		if path := findPlugin(want); path != "" {
			return path, want, nil
		}
		return "", "", missing(want)
	}
	if !filepath.IsAbs(want) {
		return "", "", fmt.Errorf("%w: plugin %q: use cpu, cuda or an absolute path", ErrUnknown, want)
	}
	if !isFile(want) {
		return "", "", fmt.Errorf("plugin %s: %w", want, os.ErrNotExist)
	}
	return want, kindOf(want), nil
}

// kindOf guesses a plugin's kind from its file name, as "pjrt_c_api_cuda_plugin.so" or "xla_cpu_pjrt.so".
func kindOf(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, kind := range []string{"cuda", "cpu"} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return ""
}

// ErrMissing is the error of an XLA plugin that is not installed.
var ErrMissing = errors.New("no XLA plugin installed")

func missing(kind string) error {
	return fmt.Errorf("%w for %s in %s: run `go run ./kernel install -xla %s`", ErrMissing, kind, PluginDir(), kind)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func libraryExt() string {
	switch runtime.GOOS {
	case "darwin":
		return ".dylib"
	case "windows":
		return ".dll"
	}
	return ".so"
}
