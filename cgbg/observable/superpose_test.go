package observable

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Law: RMSD from a file is zero for the same frame however it stands, and what Kabsch's rotation leaves for others; the
// mirror image is as far as no rotation can bring it.
func TestDeviation(t *testing.T) {
	f, m, err := obc2.UnbiasedHeavyAtom()
	if err != nil {
		t.Fatal(err)
	}
	f = f.Slice(0, 50)
	dir := t.TempDir()
	if err := data.WriteFile(filepath.Join(dir, "first.arrow"), m, f.Slice(0, 3)); err != nil {
		t.Fatal(err)
	}
	v := parsed(t, "d", "rmsd(first.arrow)")
	if v.File != "first.arrow" {
		t.Errorf("file: got %q", v.File)
	}
	if _, err := v.Of(f, m); err == nil {
		t.Error("a file that is not there: got no error")
	}
	v.File = filepath.Join(dir, v.File)
	rng := newRNG(71)
	plain, err := v.Of(f, m)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := v.OfPositions(moved(f, 1, rng), m)
	if err != nil {
		t.Fatal(err)
	}
	mirrored, err := v.OfPositions(moved(f, -1, rng), m)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the same frame", turned[0], 0, 1e-7) // a root of rounding
	for i := 1; i < len(plain); i++ {
		near(t, "turned", turned[i], plain[i], 1e-7)
		if plain[i] < 0.01 || plain[i] > 0.3 {
			t.Errorf("frame %d: %g nm", i, plain[i])
		}
	}
	if mirrored[0] < 0.02 {
		t.Errorf("the mirror image is %g nm away", mirrored[0])
	}
	// Beads of another map: those in common.
	cb, mcb, err := obc2.UnbiasedCoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	common, err := v.Of(cb.Slice(0, 1), mcb)
	if err != nil || common[0] > 1e-6 {
		t.Errorf("the frame in another map: got %v, %v", common, err)
	}
}

// The best rotation by brute force: small random turns that bring two sets nearer until none does.
func TestRMSDIsLeast(t *testing.T) {
	rng := newRNG(81)
	const n = 7
	a, b := &data.Frames{Beads: n, Dim: 3}, make([]float64, 3*n)
	for i := range b {
		a.R, b[i] = append(a.R, float32(rng.NormFloat64())), rng.NormFloat64()
	}
	best := math.Inf(1)
	want := rmsd(moved(a, 1, rng), b)
	for range 200_000 {
		x := moved(a, 1, rng)
		var shift [3]float64
		for i := range x {
			shift[i%3] += (b[i] - x[i]) / n
		}
		square := 0.
		for i := range x {
			square += math.Pow(x[i]+shift[i%3]-b[i], 2) / n
		}
		best = min(best, math.Sqrt(square))
	}
	if best < want-1e-12 || best > want*1.01 {
		t.Errorf("got %g, the best of many rotations %g", want, best)
	}
}

// Structures give the names of beads that import gives.
func TestDeviationFromStructure(t *testing.T) {
	f, m, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "data", "ala2", "ala2.pdb")
	x := of(t, "rmsd("+path+")", f.Slice(0, 100), m)
	if x[0] > 1e-7 { // the structure is the first frame
		t.Errorf("the first frame: %g nm", x[0])
	}
	if lo, hi := slices.Min(x[1:]), slices.Max(x); lo < 1e-3 || hi > 0.15 {
		t.Errorf("other frames: from %g to %g nm", lo, hi)
	}
	v := parsed(t, "d", `rmsd("`+path+`")`)
	strange := data.Meta{Beads: []string{"A", "B", "C", "D", "E", "F"}}
	if _, err := v.Of(f, strange); err == nil || !strings.Contains(err.Error(), "has 0 beads of the frames") ||
		!strings.Contains(err.Error(), "give an .arrow") {
		t.Errorf("other beads: got %v", err)
	}
}
