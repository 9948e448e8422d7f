package mullerbrown

import (
	"math"
	"math/big"
	"math/bits"
	"sync"
)

// tables holds what the inner loop looks up: powers of two and the layers of the ziggurat. They are built once from
// additions, multiplications, divisions and square roots only, so that they are the same wherever arithmetic is IEEE
// 754.
type tables struct {
	// pow2[i] holds the bits of 2^(i/2048), rounded to nearest, less i<<41, so that adding k<<41 gives 2^(k/2048).
	pow2 [pow2Size]uint64
	// zigK[i]: an integer below it is inside the next layer. zigW[i]: width of layer i over 2^52. zigF[i]:
	// exp(-x_i²/2).
	zigK [zigLayers]int64
	zigW [zigLayers]float64
	zigF [zigLayers + 1]float64
}

const (
	pow2Size  = 2048
	pow2Shift = 52 - 11             // 2048 = 2^11 steps per binary order
	roundBig  = 0x1.8p52            // adding and subtracting it rounds to the nearest integer
	ln2       = 0.69314718055994531 // ln 2 to float64

	// Taylor coefficients of 2^(r/2048) in r, |r| ≤ 1/2: the first one dropped is (ln2/4096)^4/24 = 3.4e-17 relative.
	pow2C1 = ln2 / pow2Size
	pow2C2 = pow2C1 * pow2C1 / 2
	pow2C3 = pow2C1 * pow2C1 * pow2C1 / 6

	// perNat turns an exponent in natural units into 1/2048 of a binary order.
	perNat = pow2Size / ln2

	// 256 layers: right end of the last one and area of each (Marsaglia and Tsang 2000, J. Stat. Softw. 5(8)).
	zigLayers = 256
	zigR      = 3.6541528853610088
	zigV      = 0.00492867323399
)

// newTables builds the tables on first use.
var newTables = sync.OnceValue(buildTables)

func buildTables() *tables {
	t := new(tables)
	root := big.NewFloat(2).SetPrec(200)
	for range 11 {
		root.Sqrt(root)
	}
	p := big.NewFloat(1).SetPrec(200)
	for i := range t.pow2 {
		f, _ := p.Float64()
		t.pow2[i] = math.Float64bits(f) - uint64(i)<<pow2Shift
		p.Mul(p, root)
	}
	density := func(x float64) float64 { return t.pow2n(-x * x * (perNat / 2)) }
	var x [zigLayers + 1]float64
	x[0], x[1] = zigV/density(zigR), zigR
	for i := 1; i < zigLayers-1; i++ {
		x[i+1] = math.Sqrt(-2 * logUnit(zigV/x[i]+density(x[i])))
	}
	for i := range zigLayers {
		t.zigK[i] = int64(x[i+1] / x[i] * (1 << 52))
		t.zigW[i] = x[i] / (1 << 52)
		t.zigF[i] = density(x[i])
	}
	t.zigF[zigLayers] = 1
	return t
}

// pow2n returns 2^(s/2048) to 1.3 units in the last place, for |s| < 2048·1022 (not checked).
func (t *tables) pow2n(s float64) float64 {
	k := s + roundBig
	r := s - (k - roundBig)
	j := math.Float64bits(k)
	e := math.Float64frombits(t.pow2[j%pow2Size] + j<<pow2Shift)
	return e + e*(r*(pow2C1+r*(pow2C2+r*pow2C3)))
}

// logUnit returns ln u for 0 < u ≤ 1 to a few units in the last place: 2 artanh((m-1)/(m+1)) + k ln 2, with m in [√½,
// √2).
func logUnit(u float64) float64 {
	m, k := math.Frexp(u)
	if m < math.Sqrt2/2 {
		m *= 2
		k--
	}
	s := (m - 1) / (m + 1)
	s2 := s * s
	sum := 0.0
	for n := 25; n >= 1; n -= 2 {
		sum = sum*s2 + 1/float64(n)
	}
	return 2*s*sum + float64(k)*ln2
}

// rng is xoshiro256++ 1.0 (Blackman and Vigna 2021, ACM Trans. Math. Softw. 47, 36).
type rng struct{ s0, s1, s2, s3 uint64 }

// golden is the increment of SplitMix64, 2^64 over the golden ratio.
const golden = 0x9E3779B97F4A7C15

// mix64 is the output function of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// newRNG returns stream number i of a seed; streams of different (seed, i) are unrelated.
func newRNG(seed, i uint64) rng {
	h := mix64(mix64(seed+golden) + (i+1)*golden)
	draw := func() uint64 { h += golden; return mix64(h) }
	return rng{draw(), draw(), draw(), draw()}
}

func (g *rng) next() uint64 {
	out := bits.RotateLeft64(g.s0+g.s3, 23) + g.s0
	w := g.s1 << 17
	g.s2 ^= g.s0
	g.s3 ^= g.s1
	g.s1 ^= g.s2
	g.s0 ^= g.s3
	g.s2 ^= w
	g.s3 = bits.RotateLeft64(g.s3, 45)
	return out
}

// uniform is in (0, 1): an odd multiple of 2^-54.
func (g *rng) uniform() float64 { return (float64(g.next()>>11) + 0.5) * 0x1p-53 }

// normals fills dst with independent N(0, 1) numbers by the ziggurat; layer and height come from different bits, which
// removes the correlation that Doornik (2005) found in the original.
func (t *tables) normals(g *rng, dst []float64) {
	s0, s1, s2, s3 := g.s0, g.s1, g.s2, g.s3
	for n := range dst {
		u := bits.RotateLeft64(s0+s3, 23) + s0
		w := s1 << 17
		s2 ^= s0
		s3 ^= s1
		s1 ^= s2
		s0 ^= s3
		s2 ^= w
		s3 = bits.RotateLeft64(s3, 45)

		i := u % zigLayers
		j := int64(u) >> 11
		z := float64(j) * t.zigW[i]
		if max(j, -j) >= t.zigK[i] {
			*g = rng{s0, s1, s2, s3}
			z = t.outside(g, i, z)
			s0, s1, s2, s3 = g.s0, g.s1, g.s2, g.s3
		}
		dst[n] = z
	}
	*g = rng{s0, s1, s2, s3}
}

// outside finishes the draw z of layer i that fell outside the rectangle common to the layer above (about 1 in 90).
func (t *tables) outside(g *rng, i uint64, z float64) float64 {
	for {
		if i == 0 {
			return t.tail(g, z)
		}
		if t.zigF[i]+g.uniform()*(t.zigF[i+1]-t.zigF[i]) < t.pow2n(-z*z*(perNat/2)) {
			return z
		}
		u := g.next()
		i = u % zigLayers
		j := int64(u) >> 11
		z = float64(j) * t.zigW[i]
		if max(j, -j) < t.zigK[i] {
			return z
		}
	}
}

// tail draws from |z| > zigR with the sign of z (Marsaglia 1964).
func (t *tables) tail(g *rng, z float64) float64 {
	for {
		a := -logUnit(g.uniform()) / zigR
		b := -logUnit(g.uniform())
		if b+b > a*a {
			return math.Copysign(zigR+a, z)
		}
	}
}
