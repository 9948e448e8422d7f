package mullerbrown

import (
	"math"
	"math/big"
	"testing"
)

// 2^(s/2048) against math/big: half a unit each for the table and the sum, and 0.31 for the series.
func TestPow2(t *testing.T) {
	tab := newTables()
	g := newRNG(3, 0)
	worst := 0.0
	for i := range 20000 {
		s := (2*g.uniform() - 1) * 2048 * 40
		if i%4 == 0 {
			s *= 20
		}
		if err := math.Abs(ulps(tab.pow2n(s), exactPow2(s))); err > worst {
			worst = err
		}
	}
	if worst > 1.35 {
		t.Errorf("pow2n: worst error %.3f ulp, want ≤ 1.35", worst)
	}
	t.Logf("worst error %.3f ulp", worst)
}

// exactPow2 is 2^(s/2048) to 120 bits: 11 halvings of the exponent by square roots of a Taylor series.
func exactPow2(s float64) *big.Float {
	const prec = 160
	k := math.RoundToEven(s)
	r := new(big.Float).SetPrec(prec).SetFloat64(s - k) // exact
	lnTwo, _, _ := big.ParseFloat("0.693147180559945309417232121458176568075500134360255254120680009493393621969694716",
		10, prec, big.ToNearestEven)
	r.Mul(r, lnTwo).Quo(r, big.NewFloat(2048))
	sum, term := big.NewFloat(1).SetPrec(prec), big.NewFloat(1).SetPrec(prec)
	for n := 1; n < 16; n++ {
		term.Mul(term, r).Quo(term, big.NewFloat(float64(n)))
		sum.Add(sum, term)
	}
	j := int(k)
	order, low := j>>11, j&2047
	root := big.NewFloat(2).SetPrec(prec)
	for b := 10; b >= 0; b-- {
		root.Sqrt(root)
		if low>>b&1 == 1 {
			sum.Mul(sum, root)
		}
	}
	return sum.SetMantExp(sum, order)
}

// ulps is (got - want) in units of got's last place.
func ulps(got float64, want *big.Float) float64 {
	d := new(big.Float).SetPrec(200).SetFloat64(got)
	d.Sub(d, want)
	f, _ := d.Float64()
	return f / (math.Nextafter(got, math.Inf(1)) - got)
}

func BenchmarkAdvance(b *testing.B) {
	tab := newTables()
	for _, lanes := range []int{1, 2, 4} {
		for _, biased := range []bool{false, true} {
			name := map[bool]string{false: "unbiased", true: "biased"}[biased]
			b.Run(name+"/"+string(rune('0'+lanes)), func(b *testing.B) {
				c := Default()
				c.Biased, c.Trajectories = biased, lanes
				r := &run{Langevin: c, tab: tab}
				ls := make([]*lane, lanes)
				for i := range ls {
					ls[i] = r.start(i)
				}
				n := b.N/lanes + 1
				b.ResetTimer()
				if err := r.steps(b.Context(), ls, 0, n, 0); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func BenchmarkNormals(b *testing.B) {
	tab, g := newTables(), newRNG(1, 0)
	buf := make([]float64, 256)
	for b.Loop() {
		tab.normals(&g, buf)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/normal")
}

func BenchmarkForce(b *testing.B) {
	tab := newTables()
	x := 24.0
	for b.Loop() {
		fx, _ := tab.force(x, 32)
		x = 24 + 1e-9*fx
	}
}
