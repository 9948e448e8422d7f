package e3

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// turn is a rotation from a random quaternion.
func turn(rng *rand.Rand) [9]float64 {
	w, x, y, z := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
	n := math.Sqrt(w*w + x*x + y*y + z*z)
	w, x, y, z = w/n, x/n, y/n, z/n
	return [9]float64{
		1 - 2*(y*y+z*z), 2 * (x*y - w*z), 2 * (x*z + w*y),
		2 * (x*y + w*z), 1 - 2*(x*x+z*z), 2 * (y*z - w*x),
		2 * (x*z - w*y), 2 * (y*z + w*x), 1 - 2*(x*x+y*y)}
}

func unit(rng *rand.Rand) [3]float64 {
	x, y, z := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
	n := math.Sqrt(x*x + y*y + z*z)
	return [3]float64{x / n, y / n, z / n}
}

func apply(m []float64, x []float64) []float64 {
	rows := len(m) / len(x)
	out := make([]float64, rows)
	for i := range rows {
		for j := range x {
			out[i] += m[i*len(x)+j] * x[j]
		}
	}
	return out
}

func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s, number %d: got %.15g, want %.15g", what, i, got[i], want[i])
			return
		}
	}
}

// TestHarmonicsOfLowDegree has the textbook formulas in this package's order.
func TestHarmonicsOfLowDegree(t *testing.T) {
	r := unit(rand.New(rand.NewPCG(1, 1)))
	x, y, z, q := r[0], r[1], r[2], math.Sqrt
	for l, want := range [][]float64{
		{1},
		{q(3) * x, q(3) * y, q(3) * z},
		{q(15) * x * z, q(15) * x * y, q(5) / 2 * (3*y*y - 1), q(15) * y * z, q(15) / 2 * (z*z - x*x)},
		{q(70) / 4 * x * (3*z*z - x*x), q(105) * x * y * z, q(42) / 4 * x * (5*y*y - 1), q(7) / 2 * y * (5*y*y - 3),
			q(42) / 4 * z * (5*y*y - 1), q(105) / 2 * y * (z*z - x*x), q(70) / 4 * z * (z*z - 3*x*x)},
	} {
		near(t, fmt.Sprint("degree ", l), Harmonics(l, r), want, 1e-13)
	}
	// e3nn-jax 0.21, spherical_harmonics("4e", (0.36, 0.48, 0.8), normalize=False, "component").
	near(t, "degree 4", Harmonics(4, [3]float64{0.36, 0.48, 0.8}),
		[]float64{1.3044529963990261, 1.9413511205125642, 0.5919533812563277,
			-0.5685178194960503, -0.7702703999999995, -1.263372932213445, 0.5245364683910237, 0.605286716156236,
			-0.15810983527844158}, 1e-7*1.3)
}

// TestHarmonicsOrthonormal integrates products over the sphere exactly: by
// Gauss–Legendre nodes along y (degree 9 is enough for 4+4) and equal angles about it.
func TestHarmonicsOrthonormal(t *testing.T) {
	nodes := []float64{0, 0.5384693101056831, 0.9061798459386640} // Abramowitz and Stegun, Table 25.4, n = 5
	weights := []float64{0.5688888888888889, 0.4786286704993665, 0.2369268850561891}
	const angles = 12
	gram := make([]float64, 25*25)
	for k, c := range nodes {
		for _, sign := range []float64{1, -1} {
			w := weights[k] / (2 * angles)
			if c == 0 {
				w /= 2
			}
			s := math.Sqrt(1 - c*c)
			for a := range angles {
				sin, cos := math.Sincos(2 * math.Pi * float64(a) / angles)
				var y []float64
				for l := range 5 {
					y = append(y, Harmonics(l, [3]float64{s * sin, sign * c, s * cos})...)
				}
				for i := range y {
					for j := range y {
						gram[i*25+j] += w * y[i] * y[j]
					}
				}
			}
		}
	}
	want := make([]float64, 25*25)
	for i := range 25 {
		want[i*26] = 1
	}
	near(t, "mean of products", gram, want, 1e-12)
}

// TestWignerD: Y(Rr) = D Y(r), and D is orthogonal.
func TestWignerD(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for l := range 5 {
		rotation, r := turn(rng), unit(rng)
		d := wignerD(l, rotation)
		turned := apply(rotation[:], r[:])
		near(t, fmt.Sprint("degree ", l), Harmonics(l, [3]float64(turned)), apply(d, Harmonics(l, r)), 1e-12)
		n := 2*l + 1
		product, identity := make([]float64, n*n), make([]float64, n*n)
		for i := range n {
			identity[i*n+i] = 1
			for j := range n {
				for k := range n {
					product[i*n+j] += d[i*n+k] * d[j*n+k]
				}
			}
		}
		near(t, fmt.Sprint("D Dᵀ of degree ", l), product, identity, 1e-12)
		minus := [3]float64{-r[0], -r[1], -r[2]}
		even := Harmonics(l, r)
		for i := range even {
			if l%2 == 1 { // parity (−1)^l
				even[i] = -even[i]
			}
		}
		near(t, fmt.Sprint("inversion of degree ", l), Harmonics(l, minus), even, 1e-13)
	}
}

// TestWigner3j: invariant, of norm 1, orthogonal between degrees; signs of e3nn.
func TestWigner3j(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	rotation := turn(rng)
	for a := range 5 {
		for b := range 5 {
			for l := max(a-b, b-a); l <= min(4, a+b); l++ {
				c := Wigner3j(a, b, l)
				da, db, dl := 2*a+1, 2*b+1, 2*l+1
				A, B, L := wignerD(a, rotation), wignerD(b, rotation), wignerD(l, rotation)
				turned := make([]float64, len(c))
				var norm float64
				for i, v := range c {
					norm += v * v
					x, y, z := i/(db*dl), i/dl%db, i%dl
					for p := range da {
						for q := range db {
							for r := range dl {
								turned[(p*db+q)*dl+r] += v * A[p*da+x] * B[q*db+y] * L[r*dl+z]
							}
						}
					}
				}
				near(t, fmt.Sprintf("3j %d %d %d turned", a, b, l), turned, c, 1e-12)
				near(t, "norm", []float64{norm}, []float64{1}, 1e-13)
			}
		}
	}
	// First numbers that are not 0: e3nn-jax 0.21, clebsch_gordan(a, b, l).
	for _, c := range []struct {
		a, b, l, index int
		want           float64
	}{
		{0, 4, 4, 0, 0.33333333333333326}, {1, 1, 2, 2, -0.18257418583505533}, {1, 3, 2, 4, 0.2672612419124243},
		{1, 4, 4, 1, -0.10540925533894596}, {2, 1, 3, 4, -0.06900655593423541}, {2, 2, 3, 7, 0.18898223650461357},
		{2, 3, 3, 4, -0.10910894511799617}, {2, 4, 4, 6, -0.07784989441615227}, {3, 1, 4, 6, -0.044543540318737376},
		{3, 2, 4, 3, -0.04879500364742665}, {3, 3, 3, 9, 0.15430334996209188}, {3, 4, 3, 4, -0.1230914909793327},
		{4, 1, 4, 1, 0.10540925533894596}, {4, 3, 1, 2, 0.23570226039551578},
	} {
		got := Wigner3j(c.a, c.b, c.l)
		for i := range c.index {
			if math.Abs(got[i]) > 1e-9 {
				t.Errorf("3j %d %d %d: number %d is %g, want 0", c.a, c.b, c.l, i, got[i])
			}
		}
		near(t, fmt.Sprintf("3j %d %d %d", c.a, c.b, c.l), got[c.index:c.index+1], []float64{c.want}, 1e-12)
	}
}

// TestSymmetric: the maps are equivariant under rotation and inversion,
// orthonormal as symmetric tensors, and as many as the tensor powers have (the
// sizes of MACE at ℓ ≤ 3: 1, 4, 8 to scalars, 1, 3, 12 to vectors).
func TestSymmetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	rotation := turn(rng)
	sizes := map[[3]int]int{{3, 1, 0}: 1, {3, 2, 0}: 4, {3, 3, 0}: 8, {3, 1, 1}: 1, {3, 2, 1}: 3, {3, 3, 1}: 12}
	for _, c := range [][3]int{{3, 1, 0}, {3, 2, 0}, {3, 3, 0}, {3, 1, 1}, {3, 2, 1}, {3, 3, 1}, {2, 3, 2}, {4, 2, 0},
		{1, 3, 1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := NewSymmetric(c[0], c[1], c[2])
			if want, ok := sizes[c]; ok && s.K != want {
				t.Fatalf("got %d maps, want %d", s.K, want)
			}
			x := make([]float64, s.Dim())
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			for _, sign := range []float64{1, -1} {
				var y []float64
				for l := 0; l <= s.LMax; l++ {
					y = append(y, apply(wignerD(l, rotation), x[l*l:(l+1)*(l+1)])...)
					if l%2 == 1 {
						for i := l * l; i < len(y); i++ {
							y[i] *= sign
						}
					}
				}
				got, d := s.Evaluate(y), wignerD(s.L, rotation)
				plain := s.Evaluate(x)
				var want []float64
				for k := range s.K {
					for _, v := range apply(d, plain[k*len(d)/(2*s.L+1):(k+1)*len(d)/(2*s.L+1)]) {
						if s.L%2 == 1 {
							v *= sign
						}
						want = append(want, v)
					}
				}
				near(t, fmt.Sprintf("turned, inversion %g", sign), got, want, 1e-10)
			}
			testTensor(t, s, x)
		})
	}
}

// testTensor checks the full tensors: their contraction with x, their Gram
// matrix, and that another basis is found again.
func testTensor(t *testing.T, s *Symmetric, x []float64) {
	u, width := s.Tensor(), s.K*(2*s.L+1)
	rows := len(u) / width
	sum, gram, identity := make([]float64, width), make([]float64, width*width), make([]float64, width*width)
	for r := range rows {
		v, rest := 1.0, r
		for range s.Nu {
			v *= x[rest%s.Dim()]
			rest /= s.Dim()
		}
		for i := range width {
			sum[i] += v * u[r*width+i]
			for j := range width {
				gram[i*width+j] += u[r*width+i] * u[r*width+j]
			}
		}
	}
	for i := range width {
		identity[i*width+i] = 1
	}
	near(t, "tensor times x", sum, s.Evaluate(x), 1e-10)
	near(t, "orthonormal", gram, identity, 1e-10)
	// The order of the maps reversed, with another sign.
	other := make([]float64, len(u))
	want := make([]float64, s.K*s.K)
	d := 2*s.L + 1
	for r := range rows {
		for k := range s.K {
			for j := range d {
				other[(r*s.K+k)*d+j] = -u[(r*s.K+s.K-1-k)*d+j]
			}
			want[k*s.K+s.K-1-k] = -1
		}
	}
	m, err := s.Gauge(other)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "gauge", m, want, 1e-10)
	other[len(other)-1]++ // one power of the last component alone
	if _, err := s.Gauge(other); err == nil {
		t.Error("a tensor outside the space: no error")
	}
}

func ExamplePaths() {
	for l := range 4 {
		fmt.Println(l, Paths([]int{0, 1}, 3, l))
	}
	// Output:
	// 0 [{0 0 0} {1 1 0}]
	// 1 [{1 0 1} {0 1 1} {1 2 1}]
	// 2 [{0 2 2} {1 1 2} {1 3 2}]
	// 3 [{0 3 3} {1 2 3}]
}

// The basis is the same to the last bit whenever it is made: models that are kept under its checksum depend on it.
func TestSymmetricSame(t *testing.T) {
	first := fmt.Sprint(*NewSymmetric(3, 3, 1))
	for range 5 {
		if again := fmt.Sprint(*NewSymmetric(3, 3, 1)); again != first {
			t.Fatal("a symmetric basis that was made again differs")
		}
	}
}

// wignerD returns the matrix D of degree l, [2l+1, 2l+1], with
// Y_l(Rr) = D·Y_l(r) for a rotation R, [3, 3], by coupling degree l−1 with degree 1.
// Under an inversion, too, R = −1, natural representations of degree l change by (−1)^l.
func wignerD(l int, rotation [9]float64) []float64 {
	d := []float64{1}
	for k := 1; k <= l; k++ {
		c := Wigner3j(k-1, 1, k)
		small, big := 2*k-1, 2*k+1
		next := make([]float64, big*big)
		// D_k = (2k+1) Σ c[a,b,m] D_{k−1}[a,a′] R[b,b′] c[a′,b′,m′].
		for a := range small {
			for a2 := range small {
				for b := range 3 {
					for b2 := range 3 {
						w := float64(big) * d[a*small+a2] * rotation[b*3+b2]
						for m := range big {
							for m2 := range big {
								next[m*big+m2] += w * c[(a*3+b)*big+m] * c[(a2*3+b2)*big+m2]
							}
						}
					}
				}
			}
		}
		d = next
	}
	return d
}
