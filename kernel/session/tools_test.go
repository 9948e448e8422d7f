package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTools: tools are built once for a go.sum, and again where a program is missing.
func TestTools(t *testing.T) {
	s, log := fakeSession(t)
	builds := func(want int) {
		t.Helper()
		text, err := os.ReadFile(log)
		if got := strings.Count(string(text), "go build -o "); err != nil || got != want {
			t.Errorf("built %d times (%v), want %d", got, err, want)
		}
	}
	builds(1)
	again := func() Toolset {
		t.Helper()
		tools, err := Tools(t.Context(), s.Module)
		if err != nil {
			t.Fatal(err)
		}
		if !fileExists(tools.Gonb) || !fileExists(tools.Goimports) || !filepath.IsAbs(tools.Go) {
			t.Errorf("got %+v, want files that exist", tools)
		}
		return tools
	}
	if tools := again(); tools != s.Tools {
		t.Errorf("got %+v, want %+v", tools, s.Tools)
	}
	builds(1)
	if err := os.Remove(s.Tools.Goimports); err != nil {
		t.Fatal(err)
	}
	again()
	builds(2)
	write(t, s.Module, "go.sum", "another", 0o600)
	if tools := again(); tools.Gonb == s.Tools.Gonb {
		t.Error("another go.sum has the same tools")
	}
	builds(3)

	write(t, s.Module, "go.sum", "a third", 0o600)
	t.Setenv("FAKE_FAILS", "1")
	if _, err := Tools(t.Context(), s.Module); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v, want what go said", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(s.Tools.Gonb)), "tools-tmp*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Tools(t.Context(), s.Module); err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("without go: got %v, want the cure", err)
	}
}

// TestPrebuild: packages are built with the session's settings, but fetched
// with the caller's.
func TestPrebuild(t *testing.T) {
	t.Setenv("GOPROXY", "https://example.com")
	t.Setenv("GOFLAGS", "-v")
	s, log := fakeSession(t)
	write(t, filepath.Dir(s.Tools.Go), "go", "#!/bin/sh\necho \"go $*; $GOPROXY $GOFLAGS $GOWORK in $PWD\" | tee -a "+
		"\"$FAKE_LOG\"\nexit $FAKE_STATUS\n", 0o700)
	if err := s.Prebuild(t.Context(), nil); err != nil {
		t.Error(err)
	}
	t.Setenv("FAKE_STATUS", "0")
	s.Env = s.environment("")
	if err := s.Prebuild(t.Context(), []string{ModulePath + "/a", ModulePath + "/b"}); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if want := "go build " + ModulePath + "/a " + ModulePath + "/b; https://example.com -v off in " + s.Module +
		"\n"; !strings.HasSuffix(string(text), want) {
		t.Errorf("got %q, want %q", text, want)
	}
	t.Setenv("FAKE_STATUS", "1")
	s.Env = s.environment("")
	if err := s.Prebuild(t.Context(), []string{"bad"}); err == nil || !strings.Contains(err.Error(), "go build bad") {
		t.Errorf("got %v, want what go said", err)
	}
}
