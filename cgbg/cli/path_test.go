package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCheckPaths(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"in.trr", "other.gro", "model.npz.json"} {
		if err := os.WriteFile(at(name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		os.Mkdir(at("folder"), 0o755), os.Mkdir(at("model.npz.models"), 0o755),
		os.WriteFile(at("model.npz.models/a.npz"), nil, 0o644),
		os.Symlink("in.trr", at("soft.trr")), os.Link(at("in.trr"), at("hard.trr")), os.Symlink(".", at("here")),
		os.Symlink("nothing", at("dangling")),
		syscall.Mkfifo(at("pipe.trr"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, out, in, want string }{
		{"new", "out.arrow", "in.trr", ""},
		{"old, no input", "other.gro", "in.trr", ""},
		{"dangling link", "dangling", "in.trr", ""},
		{"missing input", "out.arrow", "nothing.trr", ""},
		{"itself", "in.trr", "in.trr", "is an input"},
		{"itself, by another path", "folder/../in.trr", "in.trr", "is an input"},
		{"through a linked folder", "here/in.trr", "in.trr", "same file as the input"},
		{"symbolic link", "soft.trr", "in.trr", "same file as the input"},
		{"the link's file", "in.trr", "soft.trr", "same file as the input"},
		{"hard link", "hard.trr", "in.trr", "same file as the input"},
		{"folder", "folder", "in.trr", "is a folder"},
		{"new folder", "new/", "in.trr", "is a folder"},
		{"pipe", "pipe.trr", "in.trr", "is a pipe"},
		{"read from a pipe", "out.arrow", "pipe.trr", "is a pipe"},
		{"read from a folder", "out.arrow", "folder", "is a folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := dir + "/" + c.out // as it is written, .. and all
			err := CheckPaths([]string{"", out}, []string{"", at("other.none"), at(c.in)})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	// replacing one would be for all programs
	for _, out := range []string{"/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"} {
		if err := CheckPaths([]string{out}, nil); err == nil || !strings.Contains(err.Error(), "is a device") {
			t.Errorf("%s: got %v", out, err)
		}
	}
	if err := CheckFolder(at("in.trr")); err == nil {
		t.Error("a file is taken as a folder")
	}
	for _, folder := range []string{at("folder"), at("none")} {
		if err := CheckFolder(folder); err != nil {
			t.Error(err)
		}
	}
	for _, in := range []string{"model.npz.json", "model.npz.models/a.npz"} {
		if err := CheckPaths(Beside(at("model.npz")), []string{at(in)}); err == nil ||
			!strings.Contains(err.Error(), "is an input") {
			t.Errorf("%s beside the output: got %v", in, err)
		}
	}
}
