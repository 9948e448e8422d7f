package plugin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/gomlx/go-xla/installer"

	"github.com/cgbg-go/lab/cgbg/backend"
)

// cudaVersion is the version of JAX's CUDA plugin, and cudaSHA256 the checksums of its wheels for Linux on x86-64, as
// the index stated them in November 2026. The libraries of NVIDIA that go with it are held to what the index states.
const cudaVersion = "0.12.0.1"

var cudaSHA256 = map[string]string{
	"cuda12": "5ec28e06198d094031c37590b4ea753ae8cde4879ab4b60baf40f0dffb673286",
	"cuda13": "5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90",
}

// driverForCUDA13 is the first driver branch that runs CUDA 13; CUDA 12 needs branch 525.
// Source: NVIDIA, CUDA Compatibility, minor version compatibility.
const driverForCUDA13 = 580

// cudaSources returns the one source of the CUDA plugin.
func (j *job) cudaSources(platform string) ([]source, error) {
	if j.goos != "linux" || j.arch != "amd64" {
		return nil, nil
	}
	if platform == "cuda" {
		platform = "cuda13"
		if branch := driverBranch("/proc/driver/nvidia/version"); branch > 0 && branch < driverForCUDA13 {
			platform = "cuda12"
		}
	}
	if cudaSHA256[platform] == "" {
		return nil, nil
	}
	return []source{{"jax-" + platform + "-pjrt " + cudaVersion, func(ctx context.Context, dir string) (about, error) {
		return j.fetchCUDA(ctx, platform, dir)
	}}}, nil
}

// driverBranch reads the driver's major version, or 0 where there is none.
func driverBranch(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`Kernel Module.*?\s(\d+)\.\d+`).FindSubmatch(text)
	if found == nil {
		return 0
	}
	branch, _ := strconv.Atoi(string(found[1]))
	return branch
}

// fetchCUDA takes JAX's plugin and NVIDIA's libraries, and lays them out as go-xla v0.4.1's installer does
// (installer/cuda.go): the plugin finds the libraries by paths relative to itself.
func (j *job) fetchCUDA(ctx context.Context, platform, dir string) (about, error) {
	path := backend.PluginPath(dir, "cuda")
	nvidia := filepath.Dir(path)
	pjrt, err := j.lookUp(ctx, "jax-"+platform+"-pjrt")
	if err != nil {
		return about{}, err
	}
	file, err := selectWheel(pjrt, cudaVersion, j.arch)
	if err != nil {
		return about{}, err
	}
	err = j.fetchInto(ctx, "jax-"+platform+"-pjrt=="+cudaVersion, file.URL, cudaSHA256[platform], dir,
		func(name string) string {
			if filepath.Base(name) == "xla_cuda_plugin.so" {
				return path
			}
			return ""
		})
	if err != nil {
		return about{}, err
	}
	libraries, err := j.lookUp(ctx, "jax-"+platform+"-plugin")
	if err != nil {
		return about{}, err
	}
	wanted, err := libraries.ParseDependencies()
	if err != nil {
		return about{}, err
	}
	for _, d := range wanted {
		if strings.HasPrefix(d.Package, "nvidia") {
			if err := j.fetchLibrary(ctx, d, strings.TrimPrefix(platform, "cuda"), dir, nvidia); err != nil {
				return about{}, err
			}
		}
	}
	return about{Source: "jax-" + platform + "-pjrt " + cudaVersion, SHA256: cudaSHA256[platform]},
		linkCUDA(platform, nvidia)
}

// fetchLibrary takes the newest version of one of NVIDIA's libraries that the plugin allows, within the major version
// that it asks for.
func (j *job) fetchLibrary(ctx context.Context, d installer.PipDependency, cuda, dir, nvidia string) error {
	info, err := j.lookUp(ctx, d.Package)
	if err != nil {
		return err
	}
	major := cuda
	if d.Minimum != "" {
		major, _, _ = strings.Cut(d.Minimum, ".")
	}
	best := ""
	var file *installer.PipReleaseInfo
	for version := range info.Releases {
		m, _, _ := strings.Cut(version, ".")
		if m != major || !d.IsValid(version) || best != "" && installer.PipCompareVersion(version, best) <= 0 {
			continue
		}
		if f, err := selectWheel(info, version, j.arch); err == nil {
			best, file = version, f
		}
	}
	if file == nil {
		return fmt.Errorf("%s: no version %s.x for this machine", d.Package, major)
	}
	return j.fetchInto(ctx, d.Package+"=="+best, file.URL, file.Digests["sha256"], dir, func(name string) string {
		if rest, ok := strings.CutPrefix(name, "nvidia/"); ok {
			return filepath.Join(nvidia, filepath.FromSlash(rest))
		}
		return ""
	})
}

// fetchInto downloads a wheel, checks it, unpacks what place says and removes the wheel. Where the index gives no
// address that can be used, as some mirrors do, pip may know better.
func (j *job) fetchInto(ctx context.Context, requirement, url, sum, dir string, place func(string) string) error {
	work, err := os.MkdirTemp(dir, "wheel-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	wheel := filepath.Join(work, "fetched.whl")
	if err := j.download(ctx, url, sum, wheel); err != nil {
		if ctx.Err() != nil {
			return err
		}
		os.Remove(wheel)
		fmt.Fprintf(j.out, "  %s  by pip\n", requirement)
		byPip, pipErr := j.byPip(ctx, requirement, sum, work)
		if pipErr != nil {
			return fmt.Errorf("%w; by pip: %w", err, pipErr)
		}
		wheel = byPip
	}
	return unzip(ctx, wheel, place)
}

// linkCUDA makes the links by which the plugin finds ptxas and cuBLAS; relative, so that the folder can be moved.
func linkCUDA(platform, nvidia string) error {
	if err := os.MkdirAll(filepath.Join(nvidia, "bin"), 0o755); err != nil {
		return err
	}
	root := "cu13"
	if platform == "cuda12" {
		root = "cuda_nvcc"
	}
	if err := os.Symlink(filepath.Join("..", root, "bin", "ptxas"), filepath.Join(nvidia, "bin", "ptxas")); err != nil {
		return err
	}
	if platform != "cuda13" {
		return nil
	}
	lib := filepath.Dir(filepath.Dir(nvidia))
	for _, name := range []string{"libcublas.so.13", "libcublasLt.so.13"} {
		if err := os.Symlink(filepath.Join("go-xla", "nvidia", "cu13", "lib", name),
			filepath.Join(lib, name)); err != nil {
			return err
		}
	}
	return nil
}
