package pmf

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Several goroutines may use a model at once from its first evaluation on, with the numbers that one of them gets.
func TestShared(t *testing.T) {
	ctx := context.Background()
	mace := NewMACE([]int{0, 1, 0}, 2)
	mace.Channels, mace.Embed, mace.Hidden, mace.Readout, mace.LMax, mace.Correlation = 2, 2, []int{4}, 2, 1, 2
	for name, pot := range map[string]Potential{"rbf": RBFMLP{Centers: 5, Lo: 0, Hi: 4, Sigma: 0.7, Hidden: 6,
		Layers: 2}, "mace": mace} {
		t.Run(name, func(t *testing.T) {
			r := make([]float64, 5*pot.Dim())
			for i := range r {
				r[i] = 0.1*float64(i%4) + 0.03*float64(i%7)
			}
			use := func(m *Model) ([]float64, error) {
				u, err := m.Energy(ctx, r)
				if err != nil {
					return nil, err
				}
				v, f, err := m.EnergyForce(ctx, r)
				return slices.Concat(u, v, f), err
			}
			want, err := use(fresh(t, pot))
			if err != nil {
				t.Fatal(err)
			}
			m := fresh(t, pot)
			var wg sync.WaitGroup
			for k := range 6 {
				wg.Go(func() {
					if got, err := use(m); err != nil || !slices.Equal(got, want) {
						t.Errorf("goroutine %d: got %v, %v, want %v", k, got, err, want)
					}
				})
			}
			wg.Wait()
			before, err := m.Sum()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := fresh(t, pot).Sum(); err != nil || again != before {
				t.Errorf("the sum of the same potential: got %s, %v, want %s", again, err, before)
			}
			m.Finalize()
			m.Finalize()
			if _, err := use(m); err == nil || !strings.Contains(err.Error(), "finalized") {
				t.Errorf("after Finalize: got %v", err)
			}
		})
	}
}
