package notebooks

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cgbg-go/lab/cgbg"
)

// The README of the house is short; what it links to is there, what it runs can be run.
func TestREADMEOfTheHouse(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) > 120 {
		t.Errorf("%d lines; 120 are what one reads in two minutes", len(lines))
	}
	for k, line := range lines {
		if n := utf8.RuneCountInString(line); n > 120 {
			t.Errorf("line %d has %d characters, more than 120", k+1, n)
		}
	}
	there := func(what, path string) {
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	links := regexp.MustCompile(`\]\(([^):]+)\)|(?m)^\[\w+\]: (\S+)$`).FindAllStringSubmatch(string(text), -1)
	for _, m := range links {
		there("the link "+m[0], m[1]+m[2])
	}
	commands := regexp.MustCompile(`(?m)^    go run (\./\S+) (.*?)( +#.*)?$`).FindAllStringSubmatch(string(text), -1)
	for _, m := range commands {
		there(m[0], m[1])
		for _, argument := range strings.Fields(m[2]) {
			if strings.Contains(argument, "/") {
				there(m[0], argument)
			}
		}
	}
	if len(links) < 9 || len(commands) < 4 {
		t.Errorf("%d links and %d commands were found", len(links), len(commands))
	}
	if !strings.Contains(string(text), "\n    go test ./...\n") {
		t.Error("the line of go test ./... is missing, which .ci/run looks for")
	}
}

// The picture of the README is one that a run drew, and small.
func TestREADMEPicture(t *testing.T) {
	content, err := os.ReadFile("profiles.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(content)); err != nil || len(content) > 100<<10 {
		t.Errorf("%d bytes, %v; want at most 100 KiB", len(content), err)
	}
}

// The file of a run in the README is one that the command reads, and so are those that come along.
func TestREADMEPlan(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, plan, ok := strings.Cut(string(text), "\n    [data]\n")
	plan, _, end := strings.Cut(plan, "\n\nFrames are mapped")
	if !ok || !end {
		t.Fatal("README.md has no file of a run")
	}
	path := filepath.Join(t.TempDir(), "readme.toml")
	if err := os.WriteFile(path, []byte("[data]\n"+plan+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, "../data/butane/butane.toml", "../data/ala2/obc2_cb.toml"} {
		p, err := cgbg.ReadPlan(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Data.Frames != "" {
			if _, err := os.Stat(p.Data.Frames); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		if file != "../data/ala2/obc2_cb.toml" && (len(p.Variables) == 0 || len(p.States) == 0) {
			t.Errorf("%s: %d variables and %d states", file, len(p.Variables), len(p.States))
		}
	}
}
