package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// No command replaces one of its inputs, or takes what is no file; it says so before it reads any.
func TestInputsSurvive(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	names := []string{"s.gro", "t.trr", "a.xvg", "b.dat", "my.map", "f.arrow", "g.arrow", "m.npz", "m.npz.json",
		"n.npz",
		"n.npz.json", "results.json", "samples.arrow", "frames.arrow", "start.npz", "out.arrow.part00000"}
	for _, name := range names {
		if err := os.WriteFile(at(name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plan := "[data]\ntrajectories = [\"t.trr\"]\nstructure = \"frames.arrow\"\ntemperature = 300\n"
	for name, text := range map[string]string{"p.toml": "out = \".\"\n" + plan, "q.toml": "out = \"s.gro\"\n" + plan,
		"r.toml": "out = \".\"\n[data]\nframes = \"samples.arrow\"\n"} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{os.Symlink("f.arrow", at("f_split_train.arrow")),
		os.Link(at("f.arrow"), at("f_resample_validation.arrow")), syscall.Mkfifo(at("pipe.trr"), 0o644),
		os.Symlink(".", at("here"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ want, args string }{
		{"t.trr is an input", "import -structure s.gro -o t.trr t.trr"},
		{"same file as the input t.trr", "import -structure s.gro -o here/t.trr t.trr"},
		{"s.gro is an input", "import -structure s.gro -o s.gro t.trr"},
		{"a.xvg is an input", "import -structure s.gro -awh a.xvg -o a.xvg t.trr"},
		{"b.dat is an input", "import -structure s.gro -bias b.dat -o b.dat t.trr"},
		{"my.map is an input", "import -structure s.gro -map my.map -o my.map t.trr"},
		{"pipe.trr is a pipe", "import -structure s.gro -o out.arrow pipe.trr"},
		{"here is a folder", "import -structure s.gro -o here t.trr"},
		{"f.arrow is an input", "export -o f.arrow f.arrow"},
		{"g.arrow is an input", "merge -o g.arrow f.arrow g.arrow"},
		{"same file as the input f.arrow", "split f.arrow"},
		{"same file as the input f.arrow", "resample f.arrow"},
		{"f.arrow is an input", "train flow -o f.arrow f.arrow"},
		{"start.npz is an input", "train pmf -from start.npz -o start.npz f.arrow"},
		{"m.npz.json is an input", "train pmf -o m.npz m.npz.json"},
		{"m.npz.json is an input", "sample -o m.npz.json m.npz"},
		{"n.npz is an input", "sample -pmf n.npz -o n.npz m.npz"},
		{"out.arrow.part00000 is an input", "sample -o out.arrow out.arrow.part00000"},
		{"f.arrow is an input", "reweight -flow m.npz -pmf n.npz -o f.arrow f.arrow"},
		{"n.npz.json is an input", "reweight -flow m.npz -pmf n.npz -o n.npz.json f.arrow"},
		{"f.arrow is an input", "curve flow -pmf n.npz -o f.arrow f.arrow"},
		{"g.arrow is an input", "curve pmf -flow m.npz -samples g.arrow -o g.arrow f.arrow"},
		{"results.json is an input", "report -reference results.json -o . f.arrow"},
		{"s.gro is a file", "report -reference g.arrow -o s.gro f.arrow"},
		{"frames.arrow is an input", "run p.toml"},
		{"s.gro is a file", "run q.toml"},
		{"samples.arrow is an input", "run r.toml"},
		{"s.gro is an input", "recipe -structure s.gro -dir work -o s.gro"},
		{"solute.trr is an input", "recipe -structure s.gro -dir work -o work/solute.trr"},
		{"here is a folder", "pull -o here ala2/implicit"},
		{"here is a folder", "info here"},
		{"pipe.trr is a pipe", "head pipe.trr"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Chdir(dir)
			if _, err := call(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, name := range names {
		if got, err := os.ReadFile(at(name)); err != nil || !bytes.Equal(got, []byte(name)) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
