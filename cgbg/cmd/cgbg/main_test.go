package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

const (
	gro = "../../../data/gromacs/testdata/ala2.gro"
	trr = "../../../data/gromacs/testdata/ala2.trr"
	xvg = "../../../data/gromacs/testdata/awh.xvg"
)

func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := dispatch(context.Background(), args, &out)
	return out.String(), err
}

// Flags go before, between and after the arguments, with one dash or two.
func TestImport(t *testing.T) {
	out := filepath.Join(t.TempDir(), "cb.arrow")
	var want *data.Frames
	for _, args := range [][]string{
		{"-map", "core-beta", "-structure", gro, "-awh", xvg, "-every", "3", "-temperature", "300", "-o", out, trr},
		{trr, "--structure", gro, "--every=3", "--o", out, "--awh", xvg, "--temperature=300"},
	} {
		if text, err := call(t, append([]string{"import"}, args...)...); err != nil ||
			!strings.Contains(text, "3 frames of 6 beads") {
			t.Fatalf("%q: got %q, %v", args, text, err)
		}
		f, meta, err := data.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != 3 || len(f.F) != len(f.R) || len(f.LogW) != 3 || math.Abs(meta.Stride-0.3) > 1e-9 {
			t.Errorf("got %d frames, %d forces, weights %v, %g ps apart", f.Len(), len(f.F), f.LogW, meta.Stride)
		}
		if meta.SourceSHA == "" || !strings.Contains(meta.Generator, "-every 3") || meta.Temperature != 300 {
			t.Errorf("provenance: got %+v", meta)
		}
		if want == nil {
			want = f
		}
		for i := range f.R {
			if f.R[i] != want.R[i] || f.F[i] != want.F[i] {
				t.Fatalf("%q: other numbers", args)
			}
		}
	}
	if text, err := call(t, "info", out); err != nil || !strings.Contains(text, "core-beta") ||
		!strings.Contains(text, "P(phi > 0)") {
		t.Errorf("info: got %q, %v", text, err)
	}
	for _, args := range [][]string{{"head", "-n", "2", out}, {"head", out, "--n", "2"}} {
		if text, err := call(t, args...); err != nil || strings.Count(text, "frame") != 2 ||
			!strings.Contains(text, "ALA2:CB") {
			t.Errorf("%q: got %q, %v", args, text, err)
		}
	}
}

// The weights of metadynamics are exp(V/kT), with V the final bias at the frame's dihedrals.
func TestImportBias(t *testing.T) {
	dir := t.TempDir()
	grid, out := filepath.Join(dir, "bias.dat"), filepath.Join(dir, "cb.arrow")
	const bins = 120
	bias := func(phi, psi float64) float64 { return 9*math.Cos(phi-1) - 4*math.Sin(psi) }
	var text strings.Builder
	text.WriteString("#! FIELDS phi psi metad.bias\n")
	for _, name := range []string{"phi", "psi"} {
		fmt.Fprintf(&text, "#! SET min_%[1]s -pi\n#! SET max_%[1]s pi\n#! SET nbins_%[1]s %[2]d\n"+
			"#! SET periodic_%[1]s true\n", name, bins)
	}
	for i := range bins * bins {
		phi, psi := -math.Pi+2*math.Pi*float64(i%bins)/bins, -math.Pi+2*math.Pi*float64(i/bins)/bins
		fmt.Fprintf(&text, "%.6f %.6f %.6f\n", phi, psi, bias(phi, psi))
	}
	if err := os.WriteFile(grid, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "import", "-structure", gro, "-bias", grid, "-temperature", "300", "-skip", "1", "-every", "3",
		"-o", out, trr); err != nil {
		t.Fatal(err)
	}
	f, meta, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 3 || !strings.Contains(meta.Generator, "-bias bias.dat -skip 1 -every 3") {
		t.Fatalf("got %d frames by %q", f.Len(), meta.Generator)
	}
	residues, err := cgmap.Backbone(meta.Beads)
	if err != nil {
		t.Fatal(err)
	}
	phi, psi := observable.Dihedrals(f.R, f.Beads, residues[0].Phi), observable.Dihedrals(f.R, f.Beads, residues[0].Psi)
	for i, got := range f.LogW {
		if want := bias(phi[i], psi[i]) / (0.00831446261815324 * 300); math.Abs(got-want) > 1e-3 {
			t.Errorf("frame %d: ln w is %g, want %g", i, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "x.arrow")
	broken := filepath.Join(dir, "broken.trr")
	whole, err := os.ReadFile(trr)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, whole[:len(whole)-7], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
		code int
	}{
		{"no command", nil, "usage", 2},
		{"unknown command", []string{"exprot"}, "exprot", 2},
		{"unknown flag", []string{"import", "-mpa", "x"}, "mpa", 2},
		{"no trajectory", []string{"import", "-structure", gro, "-o", out}, "trajectories", 2},
		{"no structure", []string{"import", trr}, "-structure", 2},
		{"bad every", []string{"import", trr, "-structure", gro, "-o", out, "-every", "0"}, "-every", 2},
		{"bad temperature", []string{"import", trr, "-structure", gro, "-o", out, "-temperature", "-1"}, "kelvin", 2},
		{"bad time", []string{"import", trr, "-structure", gro, "-o", out, "-dt", "-1"}, "-dt", 2},
		{"other atoms", []string{"import", "../../../data/npz/testdata/published.npz", "-structure", gro, "-o", out},
			"frame 0: it has 10 atoms, the structure " + gro + " has 22, the map core-beta 6 beads", 1},
		{"unknown map", []string{"import", trr, "-structure", gro, "-o", out, "-map", "martini"}, "heavy-atom", 2},
		{"wrong map", []string{"import", trr, "-structure", gro, "-o", out, "-map", gro}, "ala2.gro: line 1", 1},
		{"folder as map", []string{"import", trr, "-structure", gro, "-o", out, "-map", dir}, "or a file", 2},
		{"missing trajectory", []string{"import", filepath.Join(dir, "no.trr"), "-structure", gro, "-o", out}, "no.trr",
			1},
		{"truncated trajectory", []string{"import", broken, "-structure", gro, "-o", out}, "broken.trr: frame 7", 1},
		{"no such folder", []string{"import", trr, "-structure", gro, "-o", filepath.Join(dir, "no", "x.arrow")}, "no",
			1},
		{"not frames", []string{"info", gro}, "ala2.gro", 1},
		{"head of nothing", []string{"head"}, "one file", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := call(t, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != c.code {
				t.Errorf("got %v, exit code %d; want %q and %d", err, exitCode(err), c.want, c.code)
			}
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHelp(t *testing.T) {
	for name := range commands {
		for _, flag := range []string{"-h", "--help"} {
			if text, err := call(t, name, flag); err != nil || !strings.Contains(text, "usage: ") {
				t.Errorf("%s %s: got %q, %v", name, flag, text, err)
			}
		}
	}
	if text, err := call(t, "-h"); err != nil || !strings.Contains(text, "import") {
		t.Errorf("-h: got %q, %v", text, err)
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := dispatch(ctx, []string{"import", trr, "-structure", gro, "-o", filepath.Join(t.TempDir(), "x.arrow")},
		&bytes.Buffer{})
	if !errors.Is(err, context.Canceled) || exitCode(err) != 130 {
		t.Errorf("got %v, exit code %d", err, exitCode(err))
	}
}

// The same frames in all formats give the same beads; without forces there is
// no column F.
func TestImportFormats(t *testing.T) {
	dir := t.TempDir()
	load := func(trajectory string) *data.Frames {
		out := filepath.Join(dir, "out.arrow")
		var stdout strings.Builder
		if err := dispatch(context.Background(), []string{"import", "-map", "heavy-atom", "-structure", gro, "-o", out,
			trajectory}, &stdout); err != nil {
			t.Fatal(err)
		}
		r, err := data.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		f, err := r.All()
		if err != nil {
			t.Fatal(err)
		}
		if (f.F == nil) != strings.Contains(stdout.String(), "there are no forces") {
			t.Errorf("%s: said %q", trajectory, stdout.String())
		}
		return f
	}
	want := load(trr)
	for path, forces := range map[string]bool{"gromacs/testdata/ala2.xtc": false, "dcd/testdata/ala2_charmm.dcd": false,
		"npz/testdata/published.npz": true, "npz/testdata/doubles.npz": true} {
		got := load("../../../data/" + path)
		if got.Len() != want.Len() || (got.F != nil) != forces {
			t.Fatalf("%s: got %d frames, forces %v", path, got.Len(), got.F != nil)
		}
		for i := range got.R {
			if math.Abs(float64(got.R[i]-want.R[i])) > 1e-5 {
				t.Fatalf("%s: R[%d] is %v, want %v", path, i, got.R[i], want.R[i])
			}
			if forces && math.Abs(float64(got.F[i]-want.F[i])) > 1e-6*math.Abs(float64(want.F[i])) {
				t.Fatalf("%s: F[%d] is %v, want %v", path, i, got.F[i], want.F[i])
			}
		}
	}
}

// Projected forces: the least noisy are smaller, and rigid hydrogens hand theirs on.
func TestImportForces(t *testing.T) {
	dir := t.TempDir()
	load := func(args ...string) *data.Frames {
		out := filepath.Join(dir, "out.arrow")
		if _, err := call(t, append([]string{"import", "-map", "heavy-atom", "-structure", gro, "-o", out},
			args...)...); err != nil {
			t.Fatal(err)
		}
		r, err := data.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		f, err := r.All()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	square := func(f *data.Frames) (sum float64) {
		for _, v := range f.F {
			sum += float64(v) * float64(v)
		}
		return sum
	}
	basic, least, rigid := load(trr), load("-forces", "least-noise", trr), load("-constraints", "h-bonds", trr)
	if square(least) > 0.9*square(basic) {
		t.Errorf("mean square %g by least noise, %g by the basic projection", square(least), square(basic))
	}
	all, err := gromacs.OpenTRR(trr)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	var f gromacs.Frame
	if err := all.Next(&f); err != nil {
		t.Fatal(err)
	}
	for k := range 3 { // the first bead is a CH3, atoms 0 to 3; the second a C without hydrogen
		want := f.F[k] + f.F[3+k] + f.F[6+k] + f.F[9+k]
		if math.Abs(float64(rigid.F[k]-want)) > 1e-3 || rigid.F[3+k] != basic.F[3+k] {
			t.Errorf("coordinate %d: got %v and %v, want %v and %v", k, rigid.F[k], rigid.F[3+k], want, basic.F[3+k])
		}
	}
	for _, args := range [][]string{{"-forces", "best"}, {"-constraints", "all"}} {
		if _, err := call(t, append(append([]string{"import", "-structure", gro, "-o", "x.arrow"}, args...),
			trr)...); !errors.Is(err, errUsage) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}
