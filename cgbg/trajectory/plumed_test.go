package trajectory

import (
	"math"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
	"github.com/cgbg-go/lab/data/plumed"
)

// A run of PLUMED itself, 60 frames 1 ps apart of all atoms of Ac-Ala-NHMe: see README.md there.
const (
	walkDir = "../../data/plumed/testdata/"
	walkGRO = "../../data/gromacs/testdata/ala2.gro"
)

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
	im := &importer{Options: NewOptions(), atoms: len(s.Atoms)}
	im.Plumed = walkDir + "plumed.dat"
	if err := im.readMap(s); err != nil {
		t.Fatal(err)
	}
	if im.input, err = plumed.ReadInput(im.Plumed); err != nil {
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
