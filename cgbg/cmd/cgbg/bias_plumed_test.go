package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
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

// Every kind of variable has the value that PLUMED gives it.
func TestCoordinatesAgainstPlumed(t *testing.T) {
	s, err := gromacs.ReadStructure(walkGRO)
	if err != nil {
		t.Fatal(err)
	}
	im := &importer{mapping: "core-beta", biasOptions: biasOptions{plumed: walkDir + "plumed.dat"}, atoms: len(s.Atoms)}
	if err := im.readMap(s); err != nil {
		t.Fatal(err)
	}
	if im.input, err = plumed.ReadInput(im.plumed); err != nil {
		t.Fatal(err)
	}
	find := newFinder(im, s)
	for _, name := range []string{"phi", "psi", "d", "xyz.x", "a", "b", "g", "all"} {
		c, err := find.one(name, false)
		if err != nil {
			t.Fatal(err)
		}
		want := walkColumns(t, "COLVAR_plain", name)[0]
		r, err := npz.Open(walkDir + "walk.npz")
		if err != nil {
			t.Fatal(err)
		}
		var f gromacs.Frame
		for i := range want {
			if err := r.Next(&f); err != nil {
				t.Fatal(err)
			}
			// six decimals
			if got, err := c.at(im, &biasFrame{r: f.R, box: &f.Box}); err != nil || math.Abs(got-want[i]) > 1e-5 {
				t.Fatalf("%s in frame %d: got %.7f, %v, PLUMED has %.7f", name, i, got, err, want[i])
			}
			// In a box that tears the molecule the nearest images are the same.
			box := [9]float64{3, 0, 0, 0, 3, 0, 0, 0, 3}
			torn := append([]float32(nil), f.R...)
			for k := range torn {
				torn[k] -= 3 * float32(math.Floor(float64(torn[k])/3))
			}
			if got, err := c.at(im, &biasFrame{r: torn, box: &box}); err != nil || math.Abs(got-want[i]) > 1e-5 {
				t.Fatalf("%s in frame %d, torn: got %.7f, %v, PLUMED has %.7f", name, i, got, err, want[i])
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
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

// The description says what undoes the bias, or that nothing does.
func TestBiasDescribed(t *testing.T) {
	_, m, _, err := walk(t, "-hills", walkDir+"HILLS_gridded", "-plumed", walkDir+"plumed.dat", "-every", "7",
		"-skip", "3")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Extra[keyBias], "weights by -hills") ||
		!strings.Contains(m.Generator, "-hills HILLS_gridded -plumed plumed.dat") {
		t.Errorf("got %q, %q", m.Extra, m.Generator)
	}
	f, m, _, err := walk(t, "-biased", "walls on d")
	if err != nil || m.Extra[keyBias] != "walls on d" || f.LogW != nil {
		t.Errorf("biased: got %q, %v", m.Extra, err)
	}
	if _, m, _, err = walk(t); err != nil || m.Extra[keyBias] != "" {
		t.Errorf("unbiased: got %q, %v", m.Extra, err)
	}
}

// Rows are found by their times, of runs that go on from a checkpoint, too.
func TestSeries(t *testing.T) {
	var time []float64
	for i := range 51 { // to 10 ps, and again from 8 ps
		time = append(time, 0.2*float64(i))
	}
	for i := range 51 {
		time = append(time, 8+0.2*float64(i))
	}
	s, err := newSeries("COLVAR", time)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		time float64
		row  int // -1: refused
	}{{0, 0}, {float64(float32(7.8)), 39}, {float64(float32(9.8)), 60}, {18, 101}, {18.2, -1}, {0.1, -1},
		{-0.2, -1}, {7.801, 39}, {7.81, -1}} {
		if row, err := s.find(c.time); c.row >= 0 && (err != nil || row != c.row) || c.row < 0 && err == nil {
			t.Errorf("at %g: got row %d, %v, want %d", c.time, row, err, c.row)
		}
	}
	if _, err := newSeries("COLVAR", []float64{0, 1, 2, 3, 0, 1, 2}); err == nil || !strings.Contains(err.Error(),
		"several runs") {
		t.Errorf("two runs: got %v", err)
	}
	if _, err := newSeries("COLVAR", []float64{1}); err == nil {
		t.Error("one row: got no error")
	}
	// At 1 µs single precision keeps 0.06 ps.
	long := make([]float64, 100)
	for i := range long {
		long[i] = 1e6 + 0.02*float64(i)
	}
	if s, err = newSeries("COLVAR", long); err != nil {
		t.Fatal(err)
	}
	if _, err := s.find(1e6 + 0.05); err == nil || !strings.Contains(err.Error(), "is kept to") {
		t.Errorf("coarse: got %v", err)
	}
}

// Log-weights that the user has, by number or time, as text or an array.
func TestOwnWeights(t *testing.T) {
	var plain, timed strings.Builder
	plain.WriteString("# ln w\n")
	want := func(i int) float64 { return math.Sin(float64(i)) }
	for i := range 60 {
		fmt.Fprintf(&plain, "%.9f\n", want(i))
	}
	for i := range 600 {
		fmt.Fprintf(&timed, "%.1f %.9f\n", 0.1*float64(i), want(i/10))
	}
	array := filepath.Join(t.TempDir(), "w.npy")
	var v []float64
	for i := range 60 {
		v = append(v, want(i))
	}
	writeArray(t, array, v, "60,")
	for name, path := range map[string]string{"text": written(t, "w.txt", plain.String()),
		"times": written(t, "w.dat", timed.String()), "array": array} {
		got, _, err := walkWeights(t, "-logw", path, "-skip", "4", "-every", "5")
		if err != nil || len(got) != 12 {
			t.Fatalf("%s: got %d weights, %v", name, len(got), err)
		}
		for k := range got {
			if i := 4 + 5*k; math.Abs(got[k]-want(i)) > 1e-8 {
				t.Errorf("%s: frame %d: got %g, want %g", name, i, got[k], want(i))
			}
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"short": {"1\n2\n", "2 log-weights, and the trajectories more frames"},
		"long":  {plain.String() + "7\n", "61 log-weights, and the trajectories 60 frames"},
		"wide":  {"1 2 3\n", "3 columns"},
		"word":  {"1\nx\n", "line 2"},
		"NaN":   {"nan\n", "not finite"},
		"empty": {"# nothing\n", "no numbers"},
	} {
		if _, _, err := walkWeights(t, "-logw", written(t, "w.txt", c.text)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// writeArray writes numbers as NumPy does, in double precision.
func writeArray(t *testing.T, path string, v []float64, shape string) {
	t.Helper()
	head := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", shape)
	text := []byte("\x93NUMPY\x01\x00")
	for (len(text)+2+len(head)+1)%64 != 0 {
		head += " "
	}
	head += "\n"
	text = append(text, byte(len(head)), byte(len(head)>>8))
	text = append(text, head...)
	for _, x := range v {
		for bits, k := math.Float64bits(x), 0; k < 8; k++ {
			text = append(text, byte(bits>>(8*k)))
		}
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// The arrays of OpenMM's Metadynamics: [last variable, first variable], closing points at the ends of periodic ones.
func TestOpenMMBias(t *testing.T) {
	const n, m, gamma = 121, 81, 5.0 // phi, d
	bias := func(phi, d float64) float64 { return 6 + 4*math.Cos(phi-1) + 2*math.Sin(9*d) }
	var v, free []float64
	for j := range m {
		for i := range n {
			x := bias(-math.Pi+2*math.Pi*float64(i)/(n-1), 0.2+0.8*float64(j)/(m-1))
			v, free = append(v, x), append(free, -gamma/(gamma-1)*x)
		}
	}
	dir := t.TempDir()
	path, freePath := filepath.Join(dir, "bias.npy"), filepath.Join(dir, "free.npy")
	writeArray(t, path, v, fmt.Sprintf("%d, %d", m, n))
	writeArray(t, freePath, free, fmt.Sprintf("%d, %d", m, n))
	column := walkColumns(t, "COLVAR_plain", "phi", "d")
	const variables = "phi:ALA2:-pi:pi:periodic,d:0.2:1"
	for name, args := range map[string][]string{
		"bias": {"-openmm-bias", path, "-bias-variables", variables, "-plumed", walkDir + "plumed.dat"},
		"free": {"-openmm-bias", freePath, "-bias-factor", "5", "-bias-variables", variables, "-plumed",
			walkDir + "plumed.dat"},
	} {
		got, _, err := walkWeights(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			// Third order: 0.01³ times 2·9³, 0.05³ times 4.
			if want := bias(column[0][i], column[1][i]) / kT300; math.Abs(got[i]-want) > 2e-3 {
				t.Errorf("%s: frame %d: got %.5f, want %.5f", name, i, got[i], want)
			}
		}
	}
	mixed := filepath.Join(dir, "mixed.npy")
	v[3] = -5
	writeArray(t, mixed, v, fmt.Sprintf("%d, %d", m, n))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-openmm-bias", freePath, "-bias-variables", variables}, "it is getFreeEnergy()"},
		{[]string{"-openmm-bias", path, "-bias-factor", "5", "-bias-variables", variables},
			"the bias itself needs none"},
		{[]string{"-openmm-bias", mixed, "-bias-variables", variables}, "nowhere below 0"},
		{[]string{"-openmm-bias", path}, "gives its variables"},
		{[]string{"-openmm-bias", path, "-bias-variables", "phi:ALA2,d"}, "no range"},
		{[]string{"-openmm-bias", path, "-bias-variables", "phi:-pi:pi:periodic"}, "gives its variables"},
	} {
		if _, _, err := walkWeights(t, append(c.args, "-plumed", walkDir+"plumed.dat")...); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}
