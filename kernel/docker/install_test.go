// Package docker holds the installation of the image; its test checks what needs neither a network nor Docker.
package docker

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestArguments: install.sh refuses what it cannot do before it changes anything.
func TestArguments(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	tests := []struct{ env, want string }{
		{"XLA=tpu", "use cpu, cuda, cuda12, cuda13 or none"},
		{"PYTHON=/no/such/python", "python3-venv"},
	}
	for _, test := range tests {
		prefix := t.TempDir() + "/prefix"
		cmd := exec.Command(bash, "install.sh")
		cmd.Env = append(os.Environ(), "PREFIX="+prefix, test.env)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: got %v, %q; want an error that mentions %q", test.env, err, out, test.want)
		}
		if _, err := os.Stat(prefix); err == nil {
			t.Errorf("%s: created %s", test.env, prefix)
		}
	}
}

// TestPinned: Python packages have exact versions.
func TestPinned(t *testing.T) {
	data, err := os.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^[a-z0-9-]+==[0-9.]+$`)
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !pinned.MatchString(line) {
			t.Errorf("%q does not name an exact version", line)
		}
	}
}

// TestDockerfile: the image runs as a user, and does not take Jupyter's token away.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	user, cmd := strings.LastIndex(text, "\nUSER cgbg"), strings.LastIndex(text, "\nCMD ")
	if user < 0 || cmd < user || strings.Contains(text[user+1:], "\nUSER root") {
		t.Error("the server does not run as the user cgbg")
	}
	open := regexp.MustCompile(`(?i)(token|password)\s*=\s*['"]{2}|--[A-Za-z.]*(token|password)=|allow.root`)
	if open.MatchString(text) {
		t.Error("the server runs without a token or as root")
	}
	if !strings.Contains(text, "kernel/docker/install.sh") || !strings.Contains(text, "ARG XLA=") {
		t.Error("the image is not made by install.sh with the build argument XLA")
	}
}
