package mullerbrown

import (
	"fmt"
	"math/rand/v2"
)

// Frames is a flat set of frames: positions and unbiased forces -∇u, all of one length.
type Frames struct{ X, Y, Fx, Fy []float32 }

// Even returns n frames equally spaced over the trajectories laid end to end, in order. n must be between 1 and Frames().
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

// Random returns n different frames, each set of n equally likely, in random order; the same seed gives the same frames.
// n must be between 1 and Frames().
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

func checkCount(n, total int) error {
	if n < 1 || n > total {
		return fmt.Errorf("mullerbrown: %d frames asked of %d: ask for between 1 and all of them, or simulate longer", n, total)
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

func (f *Frames) set(i int, t *Trajectories, traj, frame int) {
	f.X[i], f.Y[i], f.Fx[i], f.Fy[i] = t.X[traj][frame], t.Y[traj][frame], t.Fx[traj][frame], t.Fy[traj][frame]
}
