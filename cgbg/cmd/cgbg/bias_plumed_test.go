package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/plumed"
)

// A run of PLUMED itself, 60 frames 1 ps apart of all atoms of Ac-Ala-NHMe: see README.md there.
const (
	walkDir = "../../../data/plumed/testdata/"
	walkGRO = "../../../data/gromacs/testdata/ala2.gro"
)

// walkWeights imports the walk, and returns its weights, and what was said.
func walkWeights(t *testing.T, args ...string) (logW []float64, said string, err error) {
	t.Helper()
	f, _, said, err := walk(t, args...)
	if err != nil {
		return nil, said, err
	}
	return f.LogW, said, nil
}

func walk(t *testing.T, args ...string) (f *data.Frames, m data.Meta, said string, err error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.arrow")
	args = append([]string{"import", "-structure", walkGRO, "-o", out, "-temperature", "300", "-dt", "1",
		walkDir + "walk.npz"}, args...)
	if said, err = call(t, args...); err != nil {
		return nil, m, said, err
	}
	if f, m, err = data.ReadFile(out); err != nil {
		t.Fatal(err)
	}
	return f, m, said, nil
}

// columns of a COLVAR there.
func walkColumns(t *testing.T, name string, of ...string) (out [][]float64) {
	t.Helper()
	table, err := plumed.ReadTable(walkDir + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range of {
		x, err := table.Column(c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// PLUMED's hills, the grid of their sum and the biases of its COLVAR, all on a torsion and a distance, are weights of
// one run.
func TestWeightsOfPlumed(t *testing.T) {
	input, hills := walkDir+"plumed.dat", walkDir+"HILLS_gridded"
	h, err := plumed.ReadHills(hills)
	if err != nil {
		t.Fatal(err)
	}
	v := walkColumns(t, "COLVAR_gridded", "phi", "d", "metad.bias", "metad.rbias")
	alone := walkColumns(t, "COLVAR_tempered", "metad.bias")[0]
	final := func(i int) float64 { return h.At([]float64{v[0][i], v[1][i]}, math.Inf(1)) }
	for name, c := range map[string]struct {
		args []string
		want func(i int) float64 // kJ/mol
		off  float64
		said []string
	}{
		"hills": {[]string{"-hills", hills, "-plumed", input}, final, 1e-4, []string{"a bias on phi and d",
			"no beads"}},
		// A cubic through points 0.16 rad and 0.018 nm apart, of hills 0.35 and 0.08 wide.
		"grid": {[]string{"-bias", walkDir + "bias_gridded.dat", "-plumed", input}, final, 0.05, nil},
		"values": {[]string{"-bias", walkDir + "bias_gridded.dat", "-colvar", walkDir + "COLVAR_gridded"}, final,
			0.05, []string{"-bias-column says which"}},
		"bias": {[]string{"-colvar", walkDir + "COLVAR_gridded", "-bias-column", "metad.bias"},
			func(i int) float64 { return v[2][i] }, 1e-9, nil},
		"one": {[]string{"-colvar", walkDir + "COLVAR_tempered"}, func(i int) float64 { return alone[i] }, 1e-9, nil},
		"rbias": {[]string{"-hills", hills, "-rbias", "-plumed", input}, func(i int) float64 { return v[3][i] },
			kT300/40 + 0.02, nil},
		"two": {[]string{"-hills", hills, "-bias", walkDir + "bias_gridded.dat", "-plumed", input}, final, 1e-4,
			[]string{"by -hills, which are kept, and by -bias differ by 0.00"}},
		"two, other order": {[]string{"-bias", walkDir + "bias_gridded.dat", "-hills", hills, "-plumed", input},
			final, 0.05,
			[]string{"by -bias, which are kept, and by -hills differ by 0.00"}},
		"grew": {[]string{"-hills", hills, "-colvar", walkDir + "COLVAR_gridded", "-bias-column", "metad.rbias",
			"-plumed", input}, final, 1e-4, []string{"-skip"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, said, err := walkWeights(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if want := c.want(i) / kT300; math.Abs(got[i]-want) > c.off/kT300 {
					t.Errorf("frame %d: ln w is %.5f, want %.5f", i, got[i], want)
				}
			}
			for _, text := range c.said {
				if !strings.Contains(said, text) {
					t.Errorf("said %q, want %q", said, text)
				}
			}
		})
	}
}

// Hills lie where the run was at their times: what is of another variable is told.
func TestHillsMeetFrames(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		doubt bool
	}{
		"right": {"phi: TORSION ATOMS=5,7,9,15\nd: DISTANCE ATOMS=1,19\n", false},
		"psi":   {"phi: TORSION ATOMS=7,9,15,17\nd: DISTANCE ATOMS=1,19\n", true},
		"short": {"phi: TORSION ATOMS=5,7,9,15\nd: DISTANCE ATOMS=1,9\n", true},
	} {
		for _, more := range [][]string{nil, {"-rbias"}} {
			args := append([]string{"-hills", walkDir + "HILLS_gridded", "-plumed", written(t, "plumed.dat",
				c.input)}, more...)
			_, said, err := walkWeights(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(said, "DOUBTFUL") != c.doubt {
				t.Errorf("%s, %v: said %q", name, more, said)
			}
		}
	}
}

// Rows that are of other frames are told by their variables.
func TestRowsMeetFrames(t *testing.T) {
	for _, c := range []struct {
		start string
		doubt bool
	}{{"0", false}, {"-1", true}} {
		args := []string{"-colvar", walkDir + "COLVAR_plain", "-plumed", walkDir + "plumed.dat", "-start", c.start,
			"-skip", "1", "-every", "2"}
		_, said, err := walkWeights(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(said, "DOUBTFUL") != c.doubt {
			t.Errorf("from %s ps: said %q", c.start, said)
		}
	}
}

// What does not fit together is refused, with the cure.
func TestWeightsOfPlumedRefused(t *testing.T) {
	input, hills, grid := walkDir+"plumed.dat", walkDir+"HILLS_gridded", walkDir+"bias_gridded.dat"
	d := written(t, "plumed.dat", "phi: DISTANCE ATOMS=1,2\nd: DISTANCE ATOMS=1,19\n")
	far := written(t, "plumed.dat", "phi: TORSION ATOMS=@phi-2\nd: DISTANCE ATOMS=1,99\n")
	com := written(t, "plumed.dat", "phi: TORSION ATOMS=@phi-2\nc: COM ATOMS=1,2\nd: DISTANCE ATOMS=c,19\n")
	late := written(t, "COLVAR", "#! FIELDS time metad.bias\n0.5 1\n1.5 2\n2.5 3\n")
	short := written(t, "COLVAR", "#! FIELDS time metad.bias\n0 1\n1 2\n2 3\n")
	var text strings.Builder
	for i := range 60 {
		fmt.Fprintf(&text, "%g\n", -walkColumns(t, "COLVAR_gridded", "metad.bias")[0][i])
	}
	against := written(t, "w.txt", text.String())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-hills", hills}, "its variable d"},
		{[]string{"-hills", hills, "-plumed", d}, "phi is a DISTANCE"},
		{[]string{"-hills", hills, "-plumed", far}, "d is of atom 99, and the structure"},
		{[]string{"-hills", hills, "-plumed", com}, "of its atoms c is no number, range or group; give the COLVAR"},
		{[]string{"-bias", grid, "-plumed", d}, "closes on itself"},
		{[]string{"-bias", grid, "-plumed", input, "-bias-variables", "phi"}, "a comma between"},
		{[]string{"-bias", grid, "-plumed", input, "-bias-variables", "d,phi"}, "the order is the file's"},
		{[]string{"-colvar", walkDir + "COLVAR_gridded"}, "metad.bias, metad.rbias"},
		{[]string{"-colvar", walkDir + "COLVAR_gridded", "-bias-column", "*bias"}, "count twice"},
		{[]string{"-colvar", walkDir + "COLVAR_gridded", "-bias-column", "opes.bias"}, "no column opes.bias"},
		{[]string{"-colvar", hills}, "no values in time"},
		{[]string{"-colvar", late}, "no row at its time"},
		{[]string{"-colvar", short}, "no row at its time, 3 ps"},
		{[]string{"-colvar", short, "-start", "-10"}, "no row at its time, -10 ps"},
		{[]string{"-bias", hills, "-plumed", input}, "import it with -hills"},
		{[]string{"-hills", grid, "-plumed", input}, "no list of hills"},
		{[]string{"-colvar", walkDir + "COLVAR_gridded", "-bias-column", "metad.bias", "-logw", against},
			"run against each other"},
		{[]string{"-rbias"}, "-rbias is of -hills"},
		{[]string{"-biased", "walls", "-hills", hills}, "-biased is for frames without weights"},
	} {
		if _, _, err := walkWeights(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
	if _, _, err := walkWeights(t, "-colvar", short, "-bias-variables", "phi,psi"); !errors.Is(err, errUsage) {
		t.Errorf("variables of nothing: got %v", err)
	}
	// The time between frames is needed to find rows.
	_, err := call(t, "import", "-structure", walkGRO, "-o", filepath.Join(t.TempDir(), "x.arrow"), "-temperature",
		"300", "-colvar", short, walkDir+"walk.npz")
	if err == nil || !strings.Contains(err.Error(), "-dt gives") {
		t.Errorf("no times: got %v", err)
	}
}

// What two sources of weights say against each other, and a temperature against PLUMED's, is told with what it may be.
func TestDoubtsOfPlumed(t *testing.T) {
	input, hills, grid := walkDir+"plumed.dat", walkDir+"HILLS_gridded", walkDir+"bias_gridded.dat"
	weights := func(of func(i int, w float64) float64) string {
		var text strings.Builder
		for i, w := range walkColumns(t, "COLVAR_gridded", "metad.bias")[0] {
			fmt.Fprintf(&text, "%g\n", of(i, w/kT300))
		}
		return written(t, "w.txt", text.String())
	}
	double := weights(func(_ int, w float64) float64 { return 2 * w })
	noise := weights(func(i int, _ float64) float64 { return 3 * math.Sin(1.7*float64(i)) })
	const grew, other = "a bias that still grew", "of another run, of other variables"
	for name, c := range map[string]struct {
		args       []string
		want, none string
	}{
		"other variables": {[]string{"-bias", grid, "-hills", walkDir + "HILLS_plain", "-plumed", input},
			"biases on different variables, phi and d and psi", grew},
		"the same": {[]string{"-bias", grid, "-hills", hills, "-plumed", input}, "differ by 0.00", "that is much"},
		"in step":  {[]string{"-bias", grid, "-logw", double, "-plumed", input}, grew, other},
		"nonsense": {[]string{"-bias", grid, "-logw", noise, "-plumed", input}, other, "different variables"},
		"310 K": {[]string{"-bias", grid, "-plumed", input, "-temperature", "310"}, "has TEMP=300 for metad, and " +
			"-temperature is 310", "different"},
		"300 K": {[]string{"-bias", grid, "-plumed", input}, "", "TEMP"},
	} {
		_, said, err := walkWeights(t, c.args...)
		if err != nil || !strings.Contains(said, c.want) || strings.Contains(said, c.none) {
			t.Errorf("%s: said %q, %v; want %q and not %q", name, said, err, c.want, c.none)
		}
	}
}

// The description says what undoes the bias, or that nothing does.
func TestBiasDescribed(t *testing.T) {
	_, m, _, err := walk(t, "-hills", walkDir+"HILLS_gridded", "-plumed", walkDir+"plumed.dat", "-every", "7",
		"-skip", "3")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Extra[data.KeyBias], "weights by -hills") ||
		!strings.Contains(m.Generator, "-hills HILLS_gridded -plumed plumed.dat") {
		t.Errorf("got %q, %q", m.Extra, m.Generator)
	}
	f, m, _, err := walk(t, "-biased", "walls on d")
	if err != nil || m.Extra[data.KeyBias] != "walls on d" || f.LogW != nil {
		t.Errorf("biased: got %q, %v", m.Extra, err)
	}
	if _, m, _, err = walk(t); err != nil || m.Extra[data.KeyBias] != "" {
		t.Errorf("unbiased: got %q, %v", m.Extra, err)
	}
}

// A trajectory that keeps times in single precision finds its rows; parts of a run follow each other, and runs whose
// times overlap are refused, as one file cannot be of both.
func TestColvarOfTrajectory(t *testing.T) {
	p := newPeptide(t, 1, 6) // 0 to 5 ps
	var text strings.Builder
	text.WriteString("#! FIELDS time phi opes.bias\n")
	for i := range 101 {
		fmt.Fprintf(&text, " %f %f %f\n", 0.1*float64(i), 0.0, 0.3*float64(i))
	}
	values := written(t, "COLVAR", text.String())
	got, _, err := p.importWeights(t, "-colvar", values, "-every", "2")
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	for k := range got {
		if want := 0.3 * 20 * float64(k) / kT300; math.Abs(got[k]-want) > 1e-9 {
			t.Errorf("frame at %d ps: got %g, want %g", 2*k, got[k], want)
		}
	}
	again := newPeptide(t, 1, 6)
	if _, _, err := p.importWeights(t, "-colvar", values, again.xtc); err == nil ||
		!strings.Contains(err.Error(), "is not after that of the frame before it") {
		t.Errorf("two runs: got %v", err)
	}
}
