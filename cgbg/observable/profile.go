package observable

import (
	"fmt"
	"math"
)

// ProfileOptions say how a density and its free energy are estimated.
type ProfileOptions struct {
	// Grid is where, [points], equally spaced and increasing.
	Grid []float64
	// KT is the thermal energy that F is given in; 0 means 1, that is F in kT.
	KT float64
	// Smoother is the estimator. Bandwidth is the standard deviation of its kernel, in the unit of x; 0 takes
	// Scott's rule, half as much again for Corrected, and is not allowed for periodic x.
	Smoother  Smoother
	Bandwidth float64
	// Periodic closes the grid to a circle of circumference points × spacing.
	Periodic bool
	// Resampling makes the errors.
	Resampling Resampling
}

// Profile is a free-energy profile with the density it came from.
type Profile struct {
	// X is the grid, [points].
	X []float64
	// F is −kT ln P, [points], with the minimum at zero; +Inf where P is zero.
	F []float64
	// FError is the bootstrap standard error of F, [points], with every resample aligned to F by the P-weighted mean;
	// NaN where most resamples are empty; nil without resampling.
	FError []float64
	// P is the density, [points], per unit of x, and PError its standard error.
	P, PError []float64
	// Outside is the fraction of the weight that lies outside the grid's cells.
	Outside float64
	// Bandwidth is the one used, 0 for Bins.
	Bandwidth float64
}

// NewProfile estimates density and free energy of weighted samples, with bootstrap errors. The error holds the
// scatter, not the bias of smoothing; the bandwidths are those of all samples in every resample.
// x: [n]; w: weights of any scale, [n], or nil.
// Errors: those of Histogram, a grid that is not equally spaced, ErrNoMass, no bandwidth for periodic x, bad
// Resampling.
// Source: Jones, Linton and Nielsen, Biometrika 82 (1995) 327.
func NewProfile(x, w []float64, o ProfileOptions) (Profile, error) {
	p, err := newProfile(x, w, o)
	if err != nil {
		return Profile{}, fmt.Errorf("observable: estimating a profile: %w", err)
	}
	return p, nil
}

func newProfile(x, w []float64, o ProfileOptions) (Profile, error) {
	if err := checkSamples(x, w); err != nil {
		return Profile{}, err
	}
	if o.KT < 0 || math.IsNaN(o.KT) {
		return Profile{}, fmt.Errorf("kT is %g; it must be above zero (or zero for 1)", o.KT)
	}
	if o.KT == 0 {
		o.KT = 1
	}
	h := o.Bandwidth
	if o.Smoother != Bins && h == 0 {
		if o.Periodic {
			return Profile{}, fmt.Errorf("no bandwidth for periodic samples; set ProfileOptions.Bandwidth (0.1 rad, " +
				"say)")
		}
		if h = bandwidth(x, w); o.Smoother == Corrected {
			h *= correctedWider
		}
	}
	if o.Smoother != Bins && !(h > 0) {
		return Profile{}, fmt.Errorf("bandwidth %g; it must be above zero", h)
	}
	d, err := newDensity(o.Grid, o.Periodic, o.Smoother, kernelReach*h)
	if err != nil {
		return Profile{}, err
	}
	idx, mass, total, outside := d.sort(x, w)
	if total == 0 {
		return Profile{}, ErrNoMass
	}
	if o.Smoother != Bins {
		d.setKernels(h)
	} else {
		h = 0
	}
	p := Profile{X: o.Grid, P: make([]float64, len(o.Grid)), Outside: outside / total, Bandwidth: h}
	d.apply(p.P, mass, total, d.workspace())
	p.F = FreeEnergy(p.P, o.KT)
	if o.Resampling.Resamples == 0 {
		return p, nil
	}
	return p, p.addErrors(d, idx, w, o)
}

// sort returns the fine bin of each sample (−1 outside), the weight in each bin, the total weight and that outside
// the grid's cells.
func (d *density) sort(x, w []float64) (idx []int32, mass []float64, total, outside float64) {
	idx, mass = make([]int32, len(x)), make([]float64, d.bins)
	lo, hi := d.grid[0]-d.step/2, d.grid[len(d.grid)-1]+d.step/2
	for i, v := range x {
		wi := weight(w, i)
		if wi == 0 {
			idx[i] = -1
			continue
		}
		k := d.index(v)
		idx[i] = int32(k)
		total += wi
		if k >= 0 {
			mass[k] += wi
		}
		if !d.periodic && !(v >= lo && v <= hi) {
			outside += wi
		}
	}
	return idx, mass, total, outside
}

// addErrors sets FError and PError.
func (p *Profile) addErrors(d *density, idx []int32, w []float64, o ProfileOptions) error {
	n := len(p.P)
	sd, err := o.Resampling.run(2*n, func() resampleStat {
		pick := make([]int, len(idx))
		mass := make([]float64, d.bins)
		ws := d.workspace()
		return func(rng rng, out []float64) {
			blockIndices(pick, max(o.Resampling.Block, 1), rng)
			clear(mass)
			var total float64
			for _, i := range pick {
				wi := weight(w, i)
				total += wi
				if k := idx[i]; k >= 0 {
					mass[k] += wi
				}
			}
			if total == 0 { // only dropped samples were drawn
				total = 1
			}
			d.apply(out[n:], mass, total, ws)
			f := out[:n]
			for i, v := range out[n:] {
				f[i] = -o.KT * math.Log(v)
			}
			AlignTo(f, p.F, p.P)
		}
	})
	if err != nil {
		return err
	}
	p.FError, p.PError = sd[:n], sd[n:]
	return nil
}

// bandwidth returns Scott's rule σ·n^(−1/5) with n the effective number of samples, in the unit of x. The
// factor 1.06 that makes it optimal for a Gaussian is left out, as in scipy.
// x: [n]; w: weights of any scale, [n], or nil. Not for periodic x. 0 for samples without spread or weight.
// Source: Scott, Multivariate Density Estimation (1992), Eq. 6.42.
func bandwidth(x, w []float64) float64 {
	var sw, sw2, mean, m2 float64
	for i, v := range x {
		if wi := weight(w, i); wi > 0 {
			sw += wi
			sw2 += wi * wi
			d := v - mean
			mean += d * wi / sw
			m2 += wi * d * (v - mean)
		}
	}
	if sw == 0 {
		return 0
	}
	return math.Sqrt(m2/sw) * math.Pow(sw*sw/sw2, -0.2)
}
