package cgbg

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Pool puts simulations of one molecule into one set, for a reference that uses all of them. crossing are those that go to φ > 0
// and back often: they decide how much weight that side has, and all that is there. others add to φ < 0 only, where every one has
// equilibrated. A set counts by the time of its effective frames (Kish's).
//
// The error of P(φ > 0) is that from blocks of time, or that from the differences between the crossing sets where it is
// larger: a bias that still changed while a set was made shows in the latter only.
// Errors: no crossing set, another temperature, a set without weight at φ < 0.
func Pool(seed int, name, title string, crossing, others []*Dataset) (*Dataset, error) {
	d, err := pool(name, title, crossing, others)
	if err != nil {
		return nil, err
	}
	up := d.Positive
	err = d.measure(seed)
	d.Positive = up
	return d, err
}

// pool is the pooled set without its Floor.
func pool(name, title string, crossing, others []*Dataset) (*Dataset, error) {
	if len(crossing) == 0 {
		return nil, fmt.Errorf("cgbg: pooling %s: no set that crosses φ = 0", name)
	}
	sets := slices.Concat(crossing, others)
	d := &Dataset{Name: name, Title: title, Residue: crossing[0].Residue, KT: crossing[0].KT, Stride: crossing[0].Stride}
	var time [2]float64 // of the sets that count at φ < 0 and at φ > 0
	for k, s := range sets {
		if s.KT != d.KT || s.time(0) == 0 {
			return nil, fmt.Errorf("cgbg: pooling %s: %s is at another temperature or has no weight at φ < 0", name, s.Name)
		}
		time[0] += s.time(0)
		if k < len(crossing) {
			time[1] += s.time(1)
		}
	}
	up, beyond := pooledPositive(crossing)
	variance := 0.0
	for k, s := range sets {
		mass := [2]float64{(1 - up.Value) * s.time(0) / time[0]}
		if k < len(crossing) && time[1] > 0 {
			mass[1] = up.Value * s.time(1) / time[1]
		}
		d.add(s, mass)
		variance += mass[0] * mass[0] / s.Effective
	}
	n := float64(len(d.Dihedrals.Phi))
	d.WeightESS, d.Effective = kish(d.Dihedrals.Weight)/n, 1/variance
	d.Correlated = n * d.WeightESS / d.Effective
	d.Positive, d.Beyond = up, beyond
	return d, nil
}

// add appends a set, its weights scaled to sums of mass at φ < 0 and at φ > 0.
func (d *Dataset) add(s *Dataset, mass [2]float64) {
	for k := range mass {
		if sum := sum(s.side(k)); sum > 0 {
			mass[k] /= sum
		}
	}
	t := s.Dihedrals
	for i, phi := range t.Phi {
		d.Dihedrals.Weight = append(d.Dihedrals.Weight, mass[sideOf(phi)]*s.weight(i))
	}
	d.Dihedrals.Phi, d.Dihedrals.Psi = append(d.Dihedrals.Phi, t.Phi...), append(d.Dihedrals.Psi, t.Psi...)
	d.Dihedrals.Block = max(d.Dihedrals.Block, t.Block)
}

// pooledPositive is P(φ > 0) of several sets, and how much of its relative error blocks of time do not see.
func pooledPositive(sets []*Dataset) (e reweight.Estimate, beyond float64) {
	total := 0.0
	for _, s := range sets {
		total += s.time(0) + s.time(1)
	}
	for _, s := range sets {
		e.Value += (s.time(0) + s.time(1)) / total * s.Positive.Value
	}
	var within, between float64
	for _, s := range sets {
		share := (s.time(0) + s.time(1)) / total
		within += math.Pow(share*s.Positive.Error, 2)
		between += share * math.Pow(s.Positive.Value-e.Value, 2) / math.Max(1, float64(len(sets)-1))
	}
	e.Error = math.Sqrt(max(within, between))
	if e.Value == 0 {
		return e, 0
	}
	return e, math.Sqrt(max(0, between-within)) / e.Value
}

// sideOf is 0 at φ < 0 and 1 at φ > 0.
func sideOf(phi float64) int {
	if phi > 0 {
		return 1
	}
	return 0
}

func (d *Dataset) weight(i int) float64 {
	if d.Dihedrals.Weight == nil {
		return 1
	}
	return d.Dihedrals.Weight[i]
}

// side is the weights of the frames on one side.
func (d *Dataset) side(k int) (w []float64) {
	for i, phi := range d.Dihedrals.Phi {
		if sideOf(phi) == k {
			w = append(w, d.weight(i))
		}
	}
	return w
}

// time is that of the effective frames on one side, ps.
func (d *Dataset) time(k int) float64 { return d.Stride * kish(d.side(k)) }

func sum(w []float64) (s float64) {
	for _, v := range w {
		s += v
	}
	return s
}

// kish is the effective number of weighted samples, (Σw)²/Σw²; 0 of none.
func kish(w []float64) float64 {
	squares := 0.0
	for _, v := range w {
		squares += v * v
	}
	if squares == 0 {
		return 0
	}
	return sum(w) * sum(w) / squares
}
