package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
)

// Quality is how far reweighted samples can be trusted; the picture shows it.
type Quality struct {
	// ESS is Kish's effective sample size as a fraction; KHat the Pareto shape of the weights, KThreshold its limit.
	ESS, KHat, KThreshold float64
	// Reliable is the verdict.
	Reliable bool
}

func (q *Quality) remarks() []remark {
	if q == nil {
		return nil
	}
	k := "constant weights"
	switch {
	case math.IsInf(q.KHat, 1) || math.IsNaN(q.KHat):
		k = "Pareto k undefined"
	case finite(q.KHat):
		k = fmt.Sprintf("Pareto k %s", number(q.KHat, 2))
	}
	ess := fmt.Sprintf("ESS %.3g %%", 100*q.ESS)
	if q.Reliable {
		return []remark{{text: fmt.Sprintf("reweighted: %s, %s", ess, k)}}
	}
	if q.KHat > q.KThreshold {
		k = fmt.Sprintf("%s > %s", k, number(q.KThreshold, 2))
	}
	return []remark{{text: fmt.Sprintf("Weights not reliable: %s, %s", k, ess), bad: true}}
}

// ProfileOptions describe the axes of a free-energy profile.
type ProfileOptions struct {
	// XLabel and YLabel name the axes, with units.
	XLabel, YLabel string
	// YMax is the top of the energy axis; 0 takes what the series need, at most 10.
	YMax float64
	// Circle says that X is an angle in rad: the axis is in degrees, from −180 to 180, and lines go on round the circle.
	Circle bool
	// Quality is shown above the axes; may be nil.
	Quality *Quality
	// Letter is the panel's, may be empty; FreeEnergies letters those that are.
	Letter string
}

// FreeEnergyProfile draws free energies with their bands. Energies are drawn as given: align them first, zero at the
// bottom. Errors: no series, lengths that differ, an angle outside −π to π.
func FreeEnergyProfile(series []Series, o ProfileOptions) (Picture, error) {
	p, err := profilePanel(series, o)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing a free-energy profile: %w", err)
	}
	return render(columnWidth, 0.82*columnWidth, [][]*panel{{p}})
}

// FreeEnergyPair draws two profiles side by side, φ and ψ say: FreeEnergies of two panels with the letters given.
// Errors: those of FreeEnergyProfile.
func FreeEnergyPair(left, right []Series, lo, ro ProfileOptions) (Picture, error) {
	return freeEnergies([]ProfilePanel{{left, lo}, {right, ro}})
}

const (
	maxEnergy = 10   // top of an energy axis unless told
	roundOff  = 1e-6 // rad: ends of a circle that were computed, in float32 say
	degrees   = 180 / math.Pi
)

func profilePanel(series []Series, o ProfileOptions) (*panel, error) {
	if err := checkAll(series); err != nil {
		return nil, err
	}
	p := newPlot(o.XLabel, o.YLabel)
	if o.Circle {
		round := make([]Series, len(series))
		for i, s := range series {
			if n := len(s.X); n > 0 && (s.X[0] < -math.Pi-roundOff || s.X[n-1] > math.Pi+roundOff) {
				return nil, fmt.Errorf("series %q goes from %g to %g round a circle; want angles in rad from −π to π",
					s.Name, s.X[0], s.X[n-1])
			}
			round[i] = unroll(s)
		}
		series = round
	}
	p.X.Min, p.X.Max = snap(extent(series, func(s *Series, i int) float64 { return s.X[i] }))
	lo, hi := extent(series, func(s *Series, i int) float64 { return s.Y[i] })
	p.Y.Min, p.Y.Max = math.Min(0, lo), math.Min(maxEnergy, 1.05*hi)
	if o.YMax > 0 {
		p.Y.Max = o.YMax
	}
	if span := p.Y.Max - p.Y.Min; p.Y.Min < 0 && p.Y.Min > -0.02*span {
		p.Y.Min = -0.02 * span
	}
	if o.Circle {
		p.X.Min, p.X.Max = -180, 180
		p.X.Tick.Marker = angleTicks(-180, 180)
	}
	for _, s := range series {
		p.Add(curve{s})
	}
	return &panel{letter: o.Letter, plot: p, keys: keys(series), remarks: o.Quality.remarks()}, nil
}

// angleTicks puts labels on multiples of 90 degrees and small ticks on those of 30.
func angleTicks(lo, hi float64) fixedTicks {
	var t fixedTicks
	for k := math.Ceil(lo/30 - 1e-9); k <= hi/30+1e-9; k++ {
		tick := plot.Tick{Value: 30 * k}
		if math.Mod(k, 3) == 0 {
			tick.Label = number(tick.Value, 0)
		}
		t = append(t, tick)
	}
	return t
}

// unroll turns radians into degrees and repeats the last point before the first and the first after the last.
func unroll(s Series) Series {
	n := len(s.X)
	if n == 0 {
		return s
	}
	out := Series{Name: s.Name, Role: s.Role, Steps: s.Steps}
	for k := -1; k <= n; k++ {
		i := (k + n) % n
		turn := 0.0
		switch k {
		case -1:
			turn = -360
		case n:
			turn = 360
		}
		out.X = append(out.X, s.X[i]*degrees+turn)
		out.Y = append(out.Y, s.Y[i])
		if s.Error != nil {
			out.Error = append(out.Error, s.Error[i])
		}
	}
	return out
}
