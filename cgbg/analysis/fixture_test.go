package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
)

// backbone asks for φ and ψ of ALA2, scored together, and for φ > 0, whose basin ends at 2.
func backbone(t *testing.T) *Question {
	t.Helper()
	variables, err := ParseVariables("", []Definition{{"phi", "phi(ALA2)"}, {"psi", "psi(ALA2)"}})
	if err != nil {
		t.Fatal(err)
	}
	states, err := ParseStates([]Definition{{"phi_gt_0", "phi > 0"}}, variables)
	if err != nil {
		t.Fatal(err)
	}
	return &Question{Variables: variables, States: states, Scored: []Group{{Variables: []int{0, 1}}},
		Split: &Split{State: 0, In: "phi_gt_0", Out: "phi_lt_0", Label: "P(φ > 0)", Variable: 0, Lo: 0, Hi: 2}}
}

// asked studies frames through a question.
func asked(t *testing.T, q *Question, name string, f *data.Frames, m data.Meta) *Set {
	t.Helper()
	s, err := NewSet(q, Options{Name: name, Seed: 1}, f, m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// law is a distribution of frames of six beads a to f: the distance of a and b is normal, and the torsion of c, d, e
// and f has two wells, of normal distributions.
type law struct {
	mean, sd float64    // of the distance, nm
	wells    [2]float64 // rad
	widths   [2]float64
	second   float64 // part of the second well
}

// normal is the density of a normal distribution.
func normal(x, mean, sd float64) float64 {
	return math.Exp(-(x-mean)*(x-mean)/(2*sd*sd)) / (sd * math.Sqrt(2*math.Pi))
}

// below is the part of a normal distribution below x.
func below(x, mean, sd float64) float64 { return math.Erfc((mean-x)/(sd*math.Sqrt2)) / 2 }

func (l law) distance(d float64) float64 { return normal(d, l.mean, l.sd) }

func (l law) torsion(x float64) float64 {
	return (1-l.second)*normal(x, l.wells[0], l.widths[0]) + l.second*normal(x, l.wells[1], l.widths[1])
}

// torsionBelow is the part of the torsions below x.
func (l law) torsionBelow(x float64) float64 {
	return (1-l.second)*below(x, l.wells[0], l.widths[0]) + l.second*below(x, l.wells[1], l.widths[1])
}

// direction is that of the mean point of the torsion on the circle, rad.
func (l law) direction() float64 {
	var x, y float64
	for k, part := range []float64{1 - l.second, l.second} {
		r := part * math.Exp(-l.widths[k]*l.widths[k]/2)
		x, y = x+r*math.Cos(l.wells[k]), y+r*math.Sin(l.wells[k])
	}
	return math.Atan2(y, x)
}

// frames draws n independent frames of the law. With another law they have the weights that make them samples of that.
func (l law) frames(n int, seed uint64, as *law) (*data.Frames, data.Meta) {
	rng := rand.New(rand.NewPCG(seed, 6))
	f := &data.Frames{Beads: 6, Dim: 3}
	for range n {
		d, well := l.mean+l.sd*rng.NormFloat64(), 0
		if rng.Float64() < l.second {
			well = 1
		}
		x := l.wells[well] + l.widths[well]*rng.NormFloat64()
		f.R = append(f.R, 0, 0, 1, float32(d), 0, 1, 0, 0.1, 0, 0, 0, 0, 0.1, 0, 0,
			0.1, float32(0.1*math.Cos(x)), float32(0.1*math.Sin(x)))
		if as != nil {
			f.LogW = append(f.LogW, math.Log(as.distance(d)*as.torsion(x)/(l.distance(d)*l.torsion(x)))-40)
		}
	}
	return f, data.Meta{Beads: strings.Split("abcdef", ""), Dim: 3, Temperature: 300, Stride: 1, Source: "six.arrow"}
}

// truth is a law, and proposal one that a flow may have learned of it.
var (
	truth    = law{0.5, 0.03, [2]float64{-1, 1.5}, [2]float64{0.3, 0.2}, 0.3}
	proposal = law{0.51, 0.035, [2]float64{-0.9, 1.5}, [2]float64{0.35, 0.25}, 0.5}
)

// six asks for a torsion and a distance of six beads, scored together where scored names both.
func six(t *testing.T, scored ...string) *Question {
	t.Helper()
	variables, err := ParseVariables("", []Definition{{"torsion", "dihedral(c,d,e,f)"}, {"end", "distance(a,b)"}})
	if err != nil {
		t.Fatal(err)
	}
	states, err := ParseStates([]Definition{{"plus", "torsion > 30"}, {"far", "end > 0.52"}}, variables)
	if err != nil {
		t.Fatal(err)
	}
	q, err := NewQuestion(variables, states, scored...)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// exactJS is the Jensen-Shannon divergence, nat, of two distributions in bins of an axis, in plain sums.
func exactJS(a observable.Axis, p, q func(lo, hi float64) float64) (js float64) {
	edges := observable.Edges(a.Lo, a.Hi, a.Bins)
	for i := range a.Bins {
		x, y := p(edges[i], edges[i+1]), q(edges[i], edges[i+1])
		for _, v := range []float64{x, y} {
			if v > 0 {
				js += v * math.Log(2*v/(x+y)) / 2
			}
		}
	}
	return js
}
