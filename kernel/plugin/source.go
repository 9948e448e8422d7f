package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/cgbg-go/lab/cgbg/backend"
)

// source is one place that a plugin can come from. fetch puts the plugin below dir, laid out as a plugin folder.
type source struct {
	name  string
	fetch func(ctx context.Context, dir string) (about, error)
}

// The CPU plugins. The release is the one that go-xla v0.4.1 was made with (internal/utils, DefaultCPUVersion).
const (
	githubRepo    = installer.BinaryCPUReleasesRepo
	githubRelease = "v0.114.0"
	wheelName     = "xla-cpu-pjrt"
	wheelVersion  = "0.0.1"
)

// wheelSHA256 are the checksums of xla-cpu-pjrt 0.0.1 by architecture, as the index stated them in November 2026.
var wheelSHA256 = map[string]string{
	"amd64": "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
	"arm64": "8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
}

// wheelArch is how wheels spell architectures.
var wheelArch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// cpuSources are the sources of the CPU plugin, the best first.
func (j *job) cpuSources() []source {
	var sources []source
	switch j.goos + "/" + j.arch {
	case "linux/amd64", "linux/arm64", "darwin/arm64":
		sources = append(sources, source{"release " + githubRelease + " of " + githubRepo, j.fetchRelease})
	}
	if j.goos == "linux" && wheelSHA256[j.arch] != "" {
		name := "wheel " + wheelName + " " + wheelVersion
		sources = append(sources, source{name, j.fetchWheel}, source{name + ", by pip", j.fetchByPip})
	}
	return sources
}

// fetchRelease takes the plugin of a GitHub release. GitHub states the checksum of each file of a release; a file
// without one is refused.
func (j *job) fetchRelease(ctx context.Context, dir string) (about, error) {
	url, sum, err := j.findRelease(ctx)
	if err != nil {
		return about{}, err
	}
	archive := filepath.Join(dir, "release.tar.gz")
	if err := j.download(ctx, url, sum, archive); err != nil {
		return about{}, err
	}
	defer os.Remove(archive)
	name := regexp.MustCompile(`^pjrt_c_api_cpu_.*plugin\.(so|dylib)$`)
	err = untar(ctx, archive, name, backend.PluginPath(dir, "cpu"))
	return about{Source: githubRepo + " " + githubRelease, SHA256: sum}, err
}

// findRelease asks GitHub for the address and the checksum of the release's file for this machine.
func (j *job) findRelease(ctx context.Context) (url, sum string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, j.quick, errors.New("no answer"))
	defer cancel()
	address := fmt.Sprintf("%s/repos/%s/releases/tags/%s", j.github, githubRepo, githubRelease)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	response, err := j.client.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("%s: %s", address, response.Status)
	}
	var release struct {
		Assets []struct {
			Name   string `json:"name"`
			URL    string `json:"browser_download_url"`
			Digest string `json:"digest"`
		} `json:"assets"`
	}
	if err := json.NewDecoder(response.Body).Decode(&release); err != nil {
		return "", "", fmt.Errorf("%s: %w", address, err)
	}
	want := fmt.Sprintf("pjrt_cpu_%s_%s.tar.gz", j.goos, j.arch)
	for _, a := range release.Assets {
		if a.Name != want {
			continue
		}
		sum, ok := strings.CutPrefix(a.Digest, "sha256:")
		if !ok {
			return "", "", fmt.Errorf("%s has no SHA-256 checksum", want)
		}
		return a.URL, sum, nil
	}
	return "", "", fmt.Errorf("the release has no file %s", want)
}

// fetchWheel takes the plugin of the wheel from the package index.
func (j *job) fetchWheel(ctx context.Context, dir string) (about, error) {
	info, err := j.lookUp(ctx, wheelName)
	if err != nil {
		return about{}, err
	}
	file, err := selectWheel(info, wheelVersion, j.arch)
	if err != nil {
		return about{}, err
	}
	archive := filepath.Join(dir, "plugin.whl")
	if err := j.download(ctx, file.URL, wheelSHA256[j.arch], archive); err != nil {
		return about{}, err
	}
	return j.unpackWheel(ctx, archive, dir)
}

// fetchByPip lets pip fetch the wheel, for machines that reach the index only by a mirror that pip is set to.
func (j *job) fetchByPip(ctx context.Context, dir string) (about, error) {
	wheel, err := j.byPip(ctx, wheelName+"=="+wheelVersion, wheelSHA256[j.arch], dir)
	if err != nil {
		return about{}, err
	}
	return j.unpackWheel(ctx, wheel, dir)
}

// byPip fetches one wheel into a folder without any, and holds it to its checksum.
func (j *job) byPip(ctx context.Context, requirement, sum, dir string) (string, error) {
	if err := j.pip(ctx, requirement, dir); err != nil {
		return "", err
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip fetched %d wheels, want one", len(wheels))
	}
	if err := verify(wheels[0], sum); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Base(wheels[0]), err)
	}
	return wheels[0], nil
}

func (j *job) unpackWheel(ctx context.Context, archive, dir string) (about, error) {
	defer os.Remove(archive)
	err := unzip(ctx, archive, func(name string) string {
		if name == "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so" {
			return backend.PluginPath(dir, "cpu")
		}
		return ""
	})
	return about{Source: wheelName + " " + wheelVersion, SHA256: wheelSHA256[j.arch]}, err
}

// lookUp asks the package index about a package. go-xla's request knows neither a context nor a time limit.
func (j *job) lookUp(ctx context.Context, name string) (*installer.PipPackageInfo, error) {
	type answer struct {
		info *installer.PipPackageInfo
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		info, err := j.index(name)
		answered <- answer{info, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return nil, fmt.Errorf("asking the package index for %s: %w", name, a.err)
		}
		return a.info, nil
	case <-time.After(5 * j.quick):
		return nil, fmt.Errorf("asking the package index for %s: no answer", name)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// selectWheel returns the Linux wheel of a version for an architecture.
func selectWheel(info *installer.PipPackageInfo, version, arch string) (*installer.PipReleaseInfo, error) {
	pattern := regexp.MustCompile(`-manylinux.*_` + wheelArch[arch] + `\.whl$`)
	file, err := installer.PipSelectRelease(info.Releases[version], pattern, false)
	if err != nil {
		return nil, fmt.Errorf("version %s: %w", version, err)
	}
	return file, nil
}

// pipDownload runs pip download.
func pipDownload(ctx context.Context, requirement, dir string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("there is no python3")
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
		"--dest", dir, requirement)
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return nil
}
