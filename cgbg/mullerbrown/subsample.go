package mullerbrown

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Frames is a flat set of frames: positions and unbiased forces -∇u, all of one length.
type Frames struct{ X, Y, Fx, Fy []float32 }

// Even returns n frames equally spaced over the trajectories laid end to end, in order. n must be between 1 and
// Frames().
func (t *Trajectories) Even(n int) (*Frames, error) {
	total := t.Frames()
	if err := checkCount(n, total); err != nil {
		return nil, err
	}
	f := newFrames(n)
	i := 0
	t.each(func(k, traj, frame int) {
		if i < n && k == int(int64(i)*int64(total)/int64(n)) {
			f.set(i, t, traj, frame)
			i++
		}
	})
	return f, nil
}

// Random returns n different frames, each set of n equally likely, in random order; the same seed gives the same
// frames. n must be between 1 and Frames().
func (t *Trajectories) Random(n int, seed uint64) (*Frames, error) {
	total := t.Frames()
	if err := checkCount(n, total); err != nil {
		return nil, err
	}
	rnd := rand.New(rand.NewPCG(seed, 0x6672616d6573))
	order := rnd.Perm(n)
	f := newFrames(n)
	i := 0
	t.each(func(k, traj, frame int) { // selection sampling: Knuth, TAOCP 2, 3.4.2, algorithm S
		if i < n && rnd.IntN(total-k) < n-i {
			f.set(order[i], t, traj, frame)
			i++
		}
	})
	return f, nil
}

// Flat returns n different frames whose histogram of x, with bins of width 1 on the domain, is as flat as they allow:
// rare bins are taken whole, the others at random down to a common height. Thinning by x is one more bias on x, so that
// by Proposition 3 these frames have the same mean force. n must be between 1 and the number of frames in the domain.
func (t *Trajectories) Flat(n int, seed uint64) (*Frames, error) {
	const bins = DomainHi - DomainLo
	var members [bins][]int32
	t.each(func(k, traj, frame int) {
		if x := float64(t.X[traj][frame]); x >= DomainLo && x < DomainHi {
			members[int(x-DomainLo)] = append(members[int(x-DomainLo)], int32(k))
		}
	})
	total := 0
	for _, m := range members {
		total += len(m)
	}
	if err := checkCount(n, total); err != nil {
		return nil, err
	}
	// With bins in the order of size, each may take an equal part of what is left.
	slices.SortStableFunc(members[:], func(a, b []int32) int { return len(a) - len(b) })
	rnd := rand.New(rand.NewPCG(seed, 0x666c6174))
	var chosen []int32
	for i, m := range members {
		take := min(len(m), (n-len(chosen))/(bins-i))
		for j := range take { // the first steps of a Fisher–Yates shuffle
			k := j + rnd.IntN(len(m)-j)
			m[j], m[k] = m[k], m[j]
		}
		chosen = append(chosen, m[:take]...)
	}
	slices.Sort(chosen)
	f := newFrames(len(chosen))
	i := 0
	t.each(func(k, traj, frame int) {
		if i < len(chosen) && int32(k) == chosen[i] {
			f.set(i, t, traj, frame)
			i++
		}
	})
	return f, nil
}

func checkCount(n, total int) error {
	if n < 1 || n > total {
		return fmt.Errorf("mullerbrown: %d frames asked of %d: ask for between 1 and all of them, or simulate longer",
			n, total)
	}
	return nil
}

// each visits all frames in order, k counting from 0.
func (t *Trajectories) each(f func(k, traj, frame int)) {
	k := 0
	for traj, x := range t.X {
		for frame := range x {
			f(k, traj, frame)
			k++
		}
	}
}

func newFrames(n int) *Frames {
	return &Frames{X: make([]float32, n), Y: make([]float32, n), Fx: make([]float32, n), Fy: make([]float32, n)}
}

// NoiseFloor returns the mean of Var(f|x) over the frames, f = -∂u/∂x: what no function of x can fit of their forces.
// It is interpolated from exact values 0.25 apart.
func (f *Frames) NoiseFloor() float64 {
	const h = 0.25
	lo := math.Floor(float64(slices.Min(f.X))/h) * h
	v := make([]float64, int((float64(slices.Max(f.X))-lo)/h)+2)
	parallel(len(v), func(i int) { v[i] = At(lo + float64(i)*h).VarF })
	var sum float64
	for _, x := range f.X {
		s := (float64(x) - lo) / h
		i := int(s)
		sum += v[i] + (s-float64(i))*(v[i+1]-v[i])
	}
	return sum / float64(len(f.X))
}

func (f *Frames) set(i int, t *Trajectories, traj, frame int) {
	f.X[i], f.Y[i], f.Fx[i], f.Fy[i] = t.X[traj][frame], t.Y[traj][frame], t.Fx[traj][frame], t.Fy[traj][frame]
}

// Fraction is the part of the frames with lo ≤ x < hi.
func (t *Trajectories) Fraction(lo, hi float64) float64 {
	n := 0
	t.each(func(_, traj, frame int) {
		if x := float64(t.X[traj][frame]); lo <= x && x < hi {
			n++
		}
	})
	return float64(n) / float64(t.Frames())
}
