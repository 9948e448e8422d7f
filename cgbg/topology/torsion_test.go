package topology

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/data/ala2"
)

// A chain has a torsion about every bond but the outer two; alanine dipeptide's beads C, N, CA, CB, C, N have φ and ψ.
func TestTorsions(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var chain []float32
	for range 100 {
		x := [][3]float64{{0, 0.1, 0}, {0, 0, 0}, {0.15, 0, 0}}
		for len(x) < 7 {
			k := len(x)
			x = append(x, place(x[k-3], x[k-2], x[k-1], 0.15, 1.9, 2*math.Pi*rng.Float64()))
		}
		for _, p := range x {
			chain = append(chain, float32(p[0]), float32(p[1]), float32(p[2]))
		}
	}
	want := [][4]int{{0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 6}}
	if got := Torsions(chain, 7); !slices.Equal(got, want) {
		t.Errorf("chain: got %v, want %v", got, want)
	}
	if got := Torsions(chain[:9*21], 7); got != nil {
		t.Errorf("nine frames: got %v", got)
	}
	f, _, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Torsions(f.R, f.Beads), [][4]int{{0, 1, 2, 4}, {1, 2, 4, 5}}; !slices.Equal(got, want) {
		t.Errorf("alanine: got %v, want %v", got, want)
	}
	var triangle []float32 // and a tail on one corner
	for range 20 {
		triangle = append(triangle, 0, 0, 0, 0.15, 0, 0, 0.075, 0.13, 0, 0.075, 0.28, 0)
	}
	for _, q := range Torsions(triangle, 4) {
		if q[0] == q[3] {
			t.Errorf("ring of three: got %v", q)
		}
	}
}
