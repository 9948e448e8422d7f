package analysis

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// dihedralSet loads n frames of φ and ψ, a part of them at φ > 0.
func dihedralSet(n int, visits float64, seed uint64) Source {
	return func() (*data.Frames, data.Meta, error) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := &data.Frames{Beads: 1, Dim: 2}
		for range n {
			phi := -1.5 + 0.3*rng.NormFloat64()
			if rng.Float64() < visits {
				phi = 1 + 0.2*rng.NormFloat64()
			}
			f.R = append(f.R, float32(phi), float32(0.4*rng.NormFloat64()))
		}
		return f, data.Meta{Temperature: 300, Stride: 0.5, Beads: []string{"ALA2:phi,psi"}, Dim: 2, Source: "set"}, nil
	}
}

// A reference that was kept is that which is studied, and is studied anew for other frames, another seed, or another
// question.
func TestOpenReference(t *testing.T) {
	dir, files, q := t.TempDir(), 0, backbone(t)
	open := func(dir string, seed int, crossing, other Source) *Set {
		t.Helper()
		o := Options{Name: "reference", Seed: seed}
		s, err := OpenReference(dir, q, o, "MD", []Source{crossing}, []Source{other})
		if err != nil {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		files = len(left)
		return s
	}
	a, b := dihedralSet(2000, 0.3, 1), dihedralSet(3000, 0, 2)
	first := open(dir, 1, a, b)
	for name, again := range map[string]*Set{"kept": open(dir, 1, a, b), "nowhere kept": open("", 1, a, b)} {
		again.Question, first.Question = nil, nil // has functions
		if !reflect.DeepEqual(again, first) {
			t.Errorf("%s: got %+v and floor %+v, want %+v and %+v", name, again.Populations, again.Floor,
				first.Populations, first.Floor)
		}
	}
	if open(dir, 1, a, b); files != 1 {
		t.Errorf("one reference: %d files", files)
	}
	other := open(dir, 1, dihedralSet(2000, 0.3, 3), b)
	if files != 2 || other.Populations[0] == first.Populations[0] || other.Floor == first.Floor {
		t.Errorf("other frames: got %+v with %d files, as before", other.Populations, files)
	}
	if other := open(dir, 2, a, b); files != 3 || other.Floor == first.Floor {
		t.Errorf("another seed: got %+v with %d files, as before", other.Floor, files)
	}
	// A state of the same name, but elsewhere.
	states, err := ParseStates([]Definition{{"phi_gt_0", "phi > 60"}}, q.Variables)
	if err != nil {
		t.Fatal(err)
	}
	q.States = states
	if other := open(dir, 1, a, b); files != 4 || !(other.Populations[0].Value < 0.9*first.Populations[0].Value) {
		t.Errorf("another state: got %+v with %d files, as before", other.Populations, files)
	}
	q = backbone(t)
	q.Scored = []Group{{"phi", []int{0}}}
	if other := open(dir, 1, a, b); files != 5 || other.Floor == first.Floor {
		t.Errorf("another score: got %+v with %d files, as before", other.Floor, files)
	}
}
