package reweight

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// oscillators draws samples of springs k[s]/2·(x − c[s])² at kT = 1, whose free energies are log(k)/2 up to a constant.
func oscillators(k, c []float64, n []int, rng *rand.Rand) (u [][]float64, x []float64) {
	for s := range k {
		for range n[s] {
			x = append(x, c[s]+rng.NormFloat64()/math.Sqrt(k[s]))
		}
	}
	for s := range k {
		row := make([]float64, len(x))
		for i, v := range x {
			row[i] = k[s] / 2 * (v - c[s]) * (v - c[s])
		}
		u = append(u, row)
	}
	return u, x
}

// The free energies of oscillators, one of which has no samples, are the exact ones within their errors, and the errors
// those that repetitions show.
func TestMBAROscillators(t *testing.T) {
	k, c := []float64{1, 4, 9, 2, 6}, []float64{0, 0.7, 1.4, 2, 1}
	n := []int{400, 300, 500, 200, 0}
	const repeats = 60
	sum, square, claimed := make([]float64, 5), make([]float64, 5), make([]float64, 5)
	for seed := range uint64(repeats) {
		u, _ := oscillators(k, c, n, rand.New(rand.NewPCG(seed, 7)))
		f, logw, err := MBAR(u, n)
		if err != nil {
			t.Fatal(err)
		}
		errs, overlap, err := MBARErrors(u, n, f)
		if err != nil {
			t.Fatal(err)
		}
		for s := range f {
			off := f[s] - (math.Log(k[s])-math.Log(k[0]))/2
			sum[s] += off / repeats
			square[s] += off * off / repeats
			claimed[s] += errs[s] * errs[s] / repeats
			if math.Abs(off) > 5*errs[s] {
				t.Errorf("seed %d, state %d: %.4f off, error %.4f", seed, s, off, errs[s])
			}
			total := 0.0
			for _, v := range overlap[s] {
				total += v
			}
			if math.Abs(total-1) > 1e-8 {
				t.Errorf("overlap of state %d: got a sum of %.12f, want 1", s, total)
			}
		}
		if seed == 0 {
			checkEquations(t, u, n, f, logw)
		}
	}
	for s := 1; s < len(k); s++ {
		// The variance of 60 repetitions is known to √(2/60).
		if r := square[s] / claimed[s]; math.Abs(r-1) > 5*math.Sqrt(2.0/repeats) {
			t.Errorf("state %d: variance is %.2f of the claimed one", s, r)
		}
		if math.Abs(sum[s]) > 5*math.Sqrt(claimed[s]/repeats) {
			t.Errorf("state %d: mean deviation %.4f", s, sum[s])
		}
	}
}

// checkEquations puts the solution into MBAR's equations, summed plainly.
func checkEquations(t *testing.T, u [][]float64, n []int, f, logw []float64) {
	t.Helper()
	first := 0.0
	for s := range u {
		sum := 0.0
		for i := range logw {
			d := 0.0
			for j := range u {
				d += float64(n[j]) * math.Exp(f[j]-u[j][i])
			}
			sum += math.Exp(-u[s][i]) / d
			if s == 0 && i > 0 {
				d0 := 0.0
				for j := range u {
					d0 += float64(n[j]) * math.Exp(f[j]-u[j][0])
				}
				if got, want := logw[i]-logw[0], math.Log(d0/d); math.Abs(got-want) > 1e-9 {
					t.Fatalf("log-weight of sample %d: got %.12f, want %.12f", i, got, want)
				}
			}
		}
		if s == 0 {
			first = -math.Log(sum)
		}
		if got := -math.Log(sum) - first; math.Abs(got-f[s]) > 1e-9 {
			t.Errorf("state %d: f is %.12f, and its weights give %.12f", s, f[s], got)
		}
	}
}

// Umbrella windows on a double well give its free energy: MBAR's weights against the exact density and against a plain
// WHAM, which counts in bins.
func TestMBARAgainstWHAM(t *testing.T) {
	well := func(x float64) float64 { return 3 * (x*x - 1) * (x*x - 1) }
	var centre []float64
	var n []int
	for c := -1.6; c < 1.61; c += 0.2 {
		centre, n = append(centre, c), append(n, 400)
	}
	const spring = 40.0
	bias := func(s int, x float64) float64 { return spring / 2 * (x - centre[s]) * (x - centre[s]) }
	rng := rand.New(rand.NewPCG(3, 4))
	var x []float64
	for s := range centre {
		for k := 0; k < n[s]; { // rejection from the spring's Gaussian; the well is above 0
			if v := centre[s] + rng.NormFloat64()/math.Sqrt(spring); rng.Float64() < math.Exp(-well(v)) {
				x = append(x, v)
				k++
			}
		}
	}
	u := make([][]float64, len(centre))
	for s := range u {
		for _, v := range x {
			u[s] = append(u[s], bias(s, v))
		}
	}
	f, logw, err := MBAR(u, n)
	if err != nil {
		t.Fatal(err)
	}
	const bins, low, width = 80, -2.0, 0.05
	density, shift := wham(x, n, bins, low, width, bias)
	for s := range f {
		// Bins of 0.05 let the spring's energy vary by 40·0.05·0.5 within them; its mean shifts f by h²·k²·σ²/24 and
		// less.
		if math.Abs(f[s]-shift[s]) > 0.05 {
			t.Errorf("window %d: MBAR's f is %.3f, WHAM's %.3f", s, f[s], shift[s])
		}
	}
	w, err := Normalize(logw)
	if err != nil {
		t.Fatal(err)
	}
	var left, want, all, plain float64
	for i, v := range x {
		if v < 0.3 {
			left += w[i]
		}
	}
	for b := range bins {
		at := low + width*(float64(b)+0.5)
		all += math.Exp(-well(at))
		if at < 0.3 {
			want += math.Exp(-well(at))
			plain += density[b]
		}
	}
	// 6,400 samples, of which about 400 decide at the top of the barrier: 5 standard errors are 0.1.
	if want /= all; math.Abs(left-want) > 0.1 || math.Abs(left-plain) > 0.02 {
		t.Errorf("left of 0.3: MBAR %.4f, WHAM %.4f, exactly %.4f", left, plain, want)
	}
}

// wham is the weighted histogram analysis in one dimension, by plain iteration: densities of bins and free energies.
func wham(x []float64, n []int, bins int, low, width float64, bias func(s int, x float64) float64) (p, f []float64) {
	count := make([]float64, bins)
	for _, v := range x {
		if b := int((v - low) / width); b >= 0 && b < bins {
			count[b]++
		}
	}
	p, f = make([]float64, bins), make([]float64, len(n))
	for range 20000 {
		for b := range p {
			d := 0.0
			for s := range n {
				d += float64(n[s]) * math.Exp(f[s]-bias(s, low+width*(float64(b)+0.5)))
			}
			p[b] = count[b] / d
		}
		for s := range f {
			z := 0.0
			for b := range p {
				z += p[b] * math.Exp(-bias(s, low+width*(float64(b)+0.5)))
			}
			f[s] = -math.Log(z)
		}
		for s := len(f) - 1; s >= 0; s-- {
			f[s] -= f[0]
		}
	}
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	for b := range p {
		p[b] /= sum
	}
	return p, f
}

// One state without a bias weighs all samples alike; what is no overlap, or no energy, is an error.
func TestMBAREdges(t *testing.T) {
	f, logw, err := MBAR([][]float64{{0, 0, 0}}, []int{3})
	if err != nil || f[0] != 0 || logw[0] != logw[2] {
		t.Errorf("one state: got %v, %v, %v", f, logw, err)
	}
	// A constant in a state's energies is its free energy.
	f, _, err = MBAR([][]float64{{0, 1, 2, 3}, {5, 6, 7, 8}}, []int{2, 2})
	if err != nil || math.Abs(f[1]-5) > 1e-9 {
		t.Errorf("constant: got %v, %v", f, err)
	}
	for name, c := range map[string]struct {
		u [][]float64
		n []int
	}{
		"none":       {nil, nil},
		"ragged":     {[][]float64{{1, 2}, {1}}, []int{1, 1}},
		"NaN":        {[][]float64{{1, math.NaN()}}, []int{2}},
		"count":      {[][]float64{{1, 2}}, []int{3}},
		"no samples": {[][]float64{{}}, []int{0}},
		"negative":   {[][]float64{{1}, {1}}, []int{2, -1}},
	} {
		if _, _, err := MBAR(c.u, c.n); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	// 1,000 kT between them: exp underflows, and nothing joins the states.
	far := [][]float64{{0, 0, 1000, 1001}, {1000, 1002, 0, 0}}
	if _, _, err := MBAR(far, []int{2, 2}); !errors.Is(err, ErrOverlap) {
		t.Errorf("no overlap: got %v", err)
	}
}

func ExampleMBAR() {
	// Two springs, one of them four times as stiff: their free energies differ by log(4)/2.
	n := []int{5000, 5000}
	u, _ := oscillators([]float64{1, 4}, []float64{0, 0.5}, n, rand.New(rand.NewPCG(1, 2)))
	f, _, err := MBAR(u, n)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.1f\n", f[1])
	// Output: 0.7
}

func BenchmarkMBAR(b *testing.B) {
	for _, states := range []int{4, 24} {
		b.Run(fmt.Sprint(states), func(b *testing.B) {
			var k, c []float64
			var n []int
			for s := range states {
				k, c, n = append(k, 4), append(c, 0.5*float64(s)), append(n, 1000)
			}
			u, _ := oscillators(k, c, n, rand.New(rand.NewPCG(1, 2)))
			for b.Loop() {
				if _, _, err := MBAR(u, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
