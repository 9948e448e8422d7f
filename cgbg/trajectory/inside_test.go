package trajectory

import "testing"

// A sample is of frames at even distances from the first on, as many as fit, with their own forces.
func TestSample(t *testing.T) {
	for _, most := range []int{2, 7, 8} {
		for n := 1; n <= 100; n++ {
			s := sample{most: most}
			for i := range n {
				if s.wants() {
					s.add([]float32{float32(i)}, []float32{-float32(i)})
				}
			}
			if n < most && len(s.r) != n || len(s.r) > most || len(s.r) < min(n, most/2) || len(s.f) != len(s.r) {
				t.Errorf("%d of %d frames, at most %d", len(s.r), n, most)
			}
			for k := range s.r {
				if want := float32(k * s.every); s.r[k][0] != want || s.f[k][0] != -want || int(want) >= n {
					t.Errorf("%d frames, at most %d: frame %d is %g with the forces of %g, want %g", n, most, k,
						s.r[k][0], -s.f[k][0], want)
				}
			}
			if n > len(s.r)*s.every {
				t.Errorf("%d frames, at most %d: none of the last %d", n, most, n-len(s.r)*s.every)
			}
		}
	}
}
