package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
)

// A set without weight is no error of the figure, and one with two weights is.
func TestProfilesWithoutWeight(t *testing.T) {
	s := twoBasins(t, "flow", 100, 0.5, 0.2, 2)
	full, empty, bad := *s, *s, *s
	full.Weight, empty.Weight, bad.Weight = nil, make([]float64, s.Len()), []float64{1, 1}
	p, err := ProfileFigure(nil, 30, Rng(1, 0), Curve{Set: &full, Role: figure.Simulation},
		Curve{Set: &empty, Role: figure.After})
	if err == nil {
		err = fixture.Drawn(p.PNG)
	}
	if err != nil {
		t.Error(err)
	}
	series, err := Curve{Set: &empty}.series(0, s.Axes[0], Rng(1, 0))
	if err != nil || !strings.HasSuffix(series.Name, ": no weight") || len(series.X) != circlePoints {
		t.Errorf("got %q with %d points, %v", series.Name, len(series.X), err)
	}
	one := *s
	one.Weight = make([]float64, s.Len())
	one.Weight[3], one.Effective = 1, 1
	series, err = Curve{Set: &one}.series(0, s.Axes[0], Rng(1, 0))
	if err != nil || !strings.HasSuffix(series.Name, ": errors above 2 kT") {
		t.Errorf("one sample: got %q, %v", series.Name, err)
	}
	if _, err := ProfileFigure(nil, 30, Rng(1, 0), Curve{Set: &bad, Role: figure.After}); err == nil {
		t.Error("two weights of a hundred frames passed")
	}
}

// A density is per unit of the axis, so that it has an area of 1 there: degrees of a torsion, nm of a distance.
func TestDensities(t *testing.T) {
	f, m := truth.frames(5000, 5, nil)
	s := asked(t, six(t, "torsion", "end"), "md", f, m)
	for k, axis := range s.Axes {
		d, err := s.density(k, axis, Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		step := d.X[1] - d.X[0]
		if axis.Periodic { // X is in rad, which the axis shows in degrees
			step *= 180 / math.Pi
		}
		area := 0.0
		for i := range d.Y {
			area += step * d.Y[i]
			if !(d.Error[i] >= 0) {
				t.Fatalf("%s: the error at %g is %g", s.Question.Variables[k].Name, d.X[i], d.Error[i])
			}
		}
		if math.Abs(area-1) > 0.01 {
			t.Errorf("%s: got an area of %g", s.Question.Variables[k].Name, area)
		}
	}
	empty := *s
	empty.Weight = make([]float64, s.Len())
	if p, err := Densities(1, s, &empty); err != nil || fixture.Drawn(p.PNG) != nil {
		t.Errorf("got %v", err)
	}
}

// Two narrow wells far apart on an interval: what smooths them is no wider than a well, whatever both together span.
func TestProfileOfTwoWells(t *testing.T) {
	const n, width, apart = 20000, 0.02, 0.06 // nm; 4.5 kT between them
	rng := Rng(3, 0)
	f := &data.Frames{Beads: 1, Dim: 3, R: make([]float32, 3*n)}
	for i := range n {
		f.R[3*i] = float32(1 + width*rng.NormFloat64() + apart*float64(2*(i%2)-1))
	}
	first := observable.NewVariable("x", "nm", func(r []float64) float64 { return r[0] })
	q, err := NewQuestion([]observable.Variable{first}, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	s := asked(t, q, "wells", f, data.Meta{Temperature: 300, Beads: []string{"a"}})
	p, err := s.Profile(0, s.Axes[0], Rng(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	at := func(x float64) (f, e float64) {
		k := int(math.Round((x - p.X[0]) / (p.X[1] - p.X[0])))
		return p.F[k], p.FError[k]
	}
	top, e := at(1)
	well, _ := at(1 + apart)
	want := s.KT * (apart*apart/(2*width*width) - math.Ln2)
	if got := top - well; math.Abs(got-want) > 5*e+0.1*s.KT || !(e < 0.2*s.KT) {
		t.Errorf("barrier: got %.3g ± %.2g kJ/mol, want %.3g", got, e, want)
	}
}

// The free energy is −kT ln of the density of the law, but for a constant.
func TestProfile(t *testing.T) {
	f, m := truth.frames(20000, 5, nil)
	s := asked(t, six(t, "torsion", "end"), "md", f, m)
	for k, density := range []func(x float64) float64{truth.torsion, truth.distance} {
		p, err := s.Profile(k, s.Axes[k], Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		var shift, mass float64
		want := make([]float64, len(p.X))
		for i, x := range p.X {
			if want[i] = -s.KT * math.Log(density(x)); p.P[i] > 0 {
				shift, mass = shift+p.P[i]*(p.F[i]-want[i]), mass+p.P[i]
			}
		}
		far := 0
		for i := range p.X {
			// The kernel widens wells by a fiftieth of kT or so.
			if off := math.Abs(p.F[i] - shift/mass - want[i]); p.FError[i] < 0.2*s.KT && off > 5*p.FError[i]+0.1*s.KT {
				far++
			}
		}
		if far > 0 {
			t.Errorf("%s: %d of %d points are off", s.Question.Variables[k].Name, far, len(p.X))
		}
	}
}

// What blocks of time do not see counts in the basin of the split state, along its variable, and nowhere else.
func TestBasinError(t *testing.T) {
	q := six(t, "torsion", "end")
	q.Split = &Split{State: 1, In: "far", Out: "near", Variable: 1, Lo: 0.52, Hi: 0.56}
	f, m := truth.frames(4000, 5, nil)
	known := asked(t, q, "md", f, m)
	doubted := *known
	doubted.Beyond = 0.5
	for k := range q.Variables {
		want, err := known.Profile(k, known.Axes[k], Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		got, err := doubted.Profile(k, known.Axes[k], Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		inside := 0
		for i, x := range want.X {
			e := want.FError[i]
			if k == 1 && x > 0.52 && x < 0.56 {
				e = math.Sqrt(e*e + 0.25*known.KT*known.KT)
				inside++
			}
			if math.Abs(got.FError[i]-e) > 1e-12 || got.F[i] != want.F[i] && !math.IsInf(want.F[i], 1) {
				t.Fatalf("%s at %g: got %g ± %g, want %g ± %g", q.Variables[k].Name, x, got.F[i], got.FError[i],
					want.F[i], e)
			}
		}
		if (inside > 5) != (k == 1) {
			t.Errorf("%s: %d points in the basin", q.Variables[k].Name, inside)
		}
		if p, err := doubted.Profile(k, known.Axes[k], nil); err != nil || p.FError != nil {
			t.Errorf("without a random state: got errors %v, %v", p.FError, err)
		}
	}
}

// The band of a curve holds the standard deviation of its members about it; one member has none.
func TestMembers(t *testing.T) {
	f, m := truth.frames(4000, 5, nil)
	mean := asked(t, six(t), "mean", f, m)
	var members []*Set
	for seed := range uint64(3) {
		f, m := truth.frames(1000, 6+seed, nil)
		members = append(members, asked(t, mean.Question, "member", f, m))
	}
	for k := range mean.Values {
		axis := mean.Axes[k]
		plain, err := mean.Profile(k, axis, Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Curve{Set: mean, Members: members}.series(k, axis, Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		squares := make([]float64, len(plain.X))
		for _, member := range members {
			p, err := member.Profile(k, axis, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range squares {
				squares[i] += (p.F[i] - plain.F[i]) * (p.F[i] - plain.F[i]) / 2
			}
		}
		drawn := 0
		for i, e := range plain.FError {
			want := math.Sqrt(e*e + squares[i])
			if seen := want <= 2*mean.KT; seen != !math.IsNaN(got.Y[i]) {
				t.Fatalf("point %d: got %g ± %g, want an error of %g", i, got.Y[i], got.Error[i], want)
			} else if seen {
				drawn++
				if math.Abs(got.Error[i]-want) > 1e-12 || got.Y[i] != plain.F[i] || !(want > e) {
					t.Fatalf("point %d: got %g ± %g, want %g ± %g", i, got.Y[i], got.Error[i], plain.F[i], want)
				}
			}
		}
		if drawn < 20 {
			t.Errorf("variable %d: %d points are drawn", k, drawn)
		}
		one, err := Curve{Set: mean, Members: members[:1]}.series(k, axis, Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		alone, err := Curve{Set: mean}.series(k, axis, Rng(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		for i := range one.Error {
			if one.Error[i] != alone.Error[i] && !math.IsNaN(alone.Error[i]) {
				t.Fatalf("one member, point %d: got an error of %g, want %g", i, one.Error[i], alone.Error[i])
			}
		}
	}
}

// Maps are of two variables that are scored together, whatever they are.
func TestMaps(t *testing.T) {
	f, m := truth.frames(2000, 5, nil)
	p, err := Maps(asked(t, six(t, "end", "torsion"), "md", f, m))
	if err == nil {
		err = fixture.Drawn(p.PNG)
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := Maps(asked(t, six(t), "md", f, m)); err == nil {
		t.Error("a map of one variable: got no error")
	}
}
