package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// twoBasins is a simulation of independent frames, a fraction visits of them at φ > 0, which count as if it were up;
// visits 0 has no weights.
func twoBasins(t *testing.T, name string, n int, visits, up float64, seed uint64) *Set {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	f := &data.Frames{Beads: 1, Dim: 2}
	for range n {
		phi, psi, logw := -1.5+0.3*rng.NormFloat64(), 0.4*rng.NormFloat64(), math.Log((1-up)/(1-visits))
		if rng.Float64() < visits {
			phi, psi, logw = 1+0.2*rng.NormFloat64(), 1+0.2*rng.NormFloat64(), math.Log(up/visits)
		}
		f.R = append(f.R, float32(phi), float32(psi))
		if visits > 0 {
			f.LogW = append(f.LogW, logw-300*float64(seed)) // known up to a constant
		}
	}
	return asked(t, backbone(t), name, f, data.Meta{Temperature: 300, Stride: 0.5, Beads: []string{"ALA2:phi,psi"}})
}

// A pool has the population of its crossing sets, counts every set at φ < 0, and is a better reference than any of
// them.
func TestPool(t *testing.T) {
	a, b, stuck := twoBasins(t, "a", 4000, 0.5, 0.2, 2), twoBasins(t, "b", 8000, 0.5, 0.2, 3),
		twoBasins(t, "stuck", 20000, 0, 0, 4)
	p, err := Pool(1, "pool", "all of them", []*Set{a, b}, []*Set{stuck})
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Split(); math.Abs(e.Value-0.2) > 5*e.Error || e.Error > 0.02 {
		t.Errorf("P(φ > 0): got %+v, want 0.2", e)
	}
	if got := upShare(p); math.Abs(got-p.Split().Value) > 1e-12 {
		t.Errorf("the weights say P(φ > 0) = %g, Populations %g", got, p.Split().Value)
	}
	for i, w := range p.Weight[12000:] {
		if p.Values[0][12000+i] > 0 || w <= 0 {
			t.Fatalf("frame %d of the stuck set: φ %g, weight %g", i, p.Values[0][12000+i], w)
		}
	}
	for _, s := range []*Set{a, b} {
		if !(p.Floor.JS.Value < s.Floor.JS.Value) || !(p.Effective > s.Effective) {
			t.Errorf("%s: floor %g with %g effective frames, pool %g with %g",
				s.Name, s.Floor.JS.Value, s.Effective, p.Floor.JS.Value, p.Effective)
		}
	}
	// Two crossing sets that contradict each other: the error is that of their difference, half of it for two alike.
	c, d := twoBasins(t, "c", 8000, 0.5, 0.1, 5), twoBasins(t, "d", 8000, 0.5, 0.3, 6)
	if p, err = Pool(1, "pool", "", []*Set{c, d}, nil); err != nil {
		t.Fatal(err)
	}
	if e := p.Split().Error; e < 0.07 || e > 0.11 {
		t.Errorf("0.1 and 0.3: got an error of %g, want about 0.1", e)
	}
	if p.Beyond < 0.35 || p.Beyond > 0.55 { // 0.1 of 0.2, less what blocks see
		t.Errorf("0.1 and 0.3: got a further relative error of %g, want about 0.5", p.Beyond)
	}
	if _, err := Pool(1, "pool", "", nil, []*Set{stuck}); err == nil {
		t.Error("nothing crosses: got no error")
	}
	stuck.KT *= 2
	if _, err := Pool(1, "pool", "", []*Set{a}, []*Set{stuck}); err == nil {
		t.Error("two temperatures: got no error")
	}
}

// upShare is the share of the weight at φ > 0.
func upShare(s *Set) float64 { return sum(s.side(1)) / (sum(s.side(0)) + sum(s.side(1))) }

// Any state can part the frames: a simulation that stays at short distances adds to these alone, another state's
// population is that of all weights, and the axes reach as far as any set does.
func TestPoolByDistance(t *testing.T) {
	q := six(t, "torsion", "end")
	q.Split = &Split{State: 1, In: "far", Out: "near", Label: "P(far)", Variable: 1, Lo: 0.52, Hi: 1}
	f, m := truth.frames(8000, 3, nil)
	crossing := asked(t, q, "crossing", f, m)
	f, m = truth.frames(20000, 4, nil)
	stuck := &data.Frames{Beads: 6, Dim: 3}
	for i := range f.Len() { // one goes further down than the crossing set
		if frame := f.Slice(i, i+1); frame.R[3] <= 0.52 {
			stuck.Append(frame)
		}
	}
	stuck.R[3] = 0.3
	s := asked(t, q, "stuck", stuck, m)
	p, err := Pool(1, "pool", "", []*Set{crossing}, []*Set{s})
	if err != nil {
		t.Fatal(err)
	}
	if p.Split() != crossing.Populations[1] {
		t.Errorf("far: got %+v, want that of the crossing set, %+v", p.Split(), crossing.Populations[1])
	}
	if w := 1 - below(0.52, truth.mean, truth.sd); !(math.Abs(p.Split().Value-w) < 5*p.Split().Error) {
		t.Errorf("far: got %+v, want %g", p.Split(), w)
	}
	plus, want := p.Populations[0], 1-truth.torsionBelow(math.Pi/6)
	if !(math.Abs(plus.Value-want) < 5*plus.Error) || !(plus.Error < crossing.Populations[0].Error) {
		t.Errorf("plus: got %+v, want %g; of the crossing set %+v", plus, want, crossing.Populations[0])
	}
	for i, w := range p.Weight {
		if far := p.Values[1][i] > 0.52; i >= crossing.Len() && far || w <= 0 {
			t.Fatalf("frame %d: distance %g, weight %g", i, p.Values[1][i], w)
		}
	}
	if p.Axes[1].Lo >= 0.3 || crossing.Axes[1].Lo <= 0.3 {
		t.Errorf("the axes are %+v; of the crossing set %+v", p.Axes[1], crossing.Axes[1])
	}
	if p.Len() != crossing.Len()+s.Len() || len(p.In[0]) != p.Len() {
		t.Errorf("got %d frames of %d and %d", p.Len(), crossing.Len(), s.Len())
	}
	q.Split = nil
	if _, err := Pool(1, "pool", "", []*Set{crossing}, nil); err == nil {
		t.Error("no split: got no error")
	}
}

// Sets of the same law score as their floor says, others more; given φ < 0, where the laws are the same, as the floor
// again.
func TestCompare(t *testing.T) {
	reference, same, other := twoBasins(t, "r", 20000, 0.5, 0.2, 7), twoBasins(t, "s", 20000, 0.5, 0.2, 8),
		twoBasins(t, "o", 20000, 0.5, 0.8, 9)
	for _, c := range []struct {
		set    *Set
		differ int // the first scores of four that tell the laws apart
	}{{same, 0}, {other, 2}} {
		got, err := Compare(1, c.set, reference)
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range got.Results() {
			switch q := r.Value / r.Floor; {
			case k < c.differ && q < 1.5:
				t.Errorf("%s of another law: got %g with a floor of %g", r.Name, r.Value, r.Floor)
			case k >= c.differ && (q < 0.75 || q > 1.25): // a floor is good to a fifth
				t.Errorf("%s of the same law: got %g with a floor of %g", r.Name, r.Value, r.Floor)
			}
			if !(r.Error > 0) {
				t.Errorf("%s has no error", r.Name)
			}
		}
		if n := len(got.Results()); n != 4 {
			t.Errorf("got %d scores, want 4", n)
		}
	}
}

// A set that never crosses does not claim to know that nothing is there.
func TestNoVisit(t *testing.T) {
	s := twoBasins(t, "stuck", 2000, 0, 0, 4)
	if p := s.Split(); p.Value != 0 || math.Abs(p.Error*s.Effective-1) > 1e-12 {
		t.Errorf("got %+v with %g effective frames, want an error of one of them", p, s.Effective)
	}
}
