package observable

import (
	"fmt"
	"math"
)

// Mean is the weighted mean of a variable with its bootstrap error, in blocks of r.Block. On a circle it is the
// direction of the mean point, and the error is the scatter of that direction.
// x: values, [n]; w: weights of any scale, [n], or nil; period: that of the variable, 0 for none.
// Errors: those of Histogram, ErrNoMass, values all round a circle, which have no direction, bad Resampling.
// Source: Mardia and Jupp, Directional Statistics (Wiley 2000), Eq. 2.2.4.
func Mean(x, w []float64, period float64, r Resampling) (Estimate, error) {
	if err := checkSamples(x, w); err != nil {
		return Estimate{}, fmt.Errorf("observable: a mean: %w", err)
	}
	if period > 0 {
		return circularMean(x, w, period, r)
	}
	var sum, total float64
	for i, v := range x {
		if wi := weight(w, i); wi > 0 {
			sum += wi * v
			total += wi
		}
	}
	if total == 0 {
		return Estimate{}, fmt.Errorf("observable: a mean: %w", ErrNoMass)
	}
	return ratio(sum/total, len(x), r, func(idx []int) float64 {
		var sum, total float64
		for _, i := range idx {
			if wi := weight(w, i); wi > 0 {
				sum += wi * x[i]
				total += wi
			}
		}
		return sum / total
	})
}

// leastResultant is how long the mean of unit vectors is where they have a direction: rounding leaves 1e-16.
const leastResultant = 1e-12

func circularMean(x, w []float64, period float64, r Resampling) (Estimate, error) {
	point := make([][2]float64, len(x)) // on the unit circle, times the weight
	var centre [2]float64
	total := 0.0
	for i, v := range x {
		if wi := weight(w, i); wi > 0 {
			sin, cos := math.Sincos(2 * math.Pi / period * v)
			point[i] = [2]float64{wi * cos, wi * sin}
			centre[0] += point[i][0]
			centre[1] += point[i][1]
			total += wi
		}
	}
	if total == 0 {
		return Estimate{}, fmt.Errorf("observable: a mean on a circle: %w", ErrNoMass)
	}
	if !(math.Hypot(centre[0], centre[1]) > leastResultant*total) {
		return Estimate{}, fmt.Errorf("observable: a mean on a circle: the values are all round it")
	}
	mean := math.Atan2(centre[1], centre[0])
	e, err := ratio(0, len(x), r, func(idx []int) float64 { // how far a resample's is from that of all
		var c [2]float64
		for _, i := range idx {
			c[0] += point[i][0]
			c[1] += point[i][1]
		}
		if c == [2]float64{} {
			return math.NaN()
		}
		return math.Remainder(math.Atan2(c[1], c[0])-mean, 2*math.Pi)
	})
	turn := period / (2 * math.Pi)
	return Estimate{Value: mean * turn, Error: e.Error * turn}, err
}

// Population is the share of the weight that is in a state, with its bootstrap error, in blocks of r.Block. Where no
// frame is in it, or every one, resamples cannot tell the error: it is 0 there.
// in: of every frame, [n]; w: weights of any scale, [n], or nil.
// Errors: lengths that differ, bad weights, ErrNoMass, bad Resampling.
func Population(in []bool, w []float64, r Resampling) (Estimate, error) {
	if err := checkSamples(make([]float64, len(in)), w); err != nil {
		return Estimate{}, fmt.Errorf("observable: a population: %w", err)
	}
	var inside, total float64
	for i, yes := range in {
		wi := weight(w, i)
		total += wi
		if yes {
			inside += wi
		}
	}
	if total == 0 {
		return Estimate{}, fmt.Errorf("observable: a population: %w", ErrNoMass)
	}
	return ratio(inside/total, len(in), r, func(idx []int) float64 {
		var inside, total float64
		for _, i := range idx {
			wi := weight(w, i)
			total += wi
			if in[i] {
				inside += wi
			}
		}
		return inside / total
	})
}

// ratio is a value of n samples with the scatter of a statistic over resamples; no error without resampling.
func ratio(value float64, n int, r Resampling, stat func(idx []int) float64) (Estimate, error) {
	if r.Resamples == 0 {
		return Estimate{Value: value}, nil
	}
	sd, err := Bootstrap(n, 1, r, func(idx []int, out []float64) { out[0] = stat(idx) })
	if err != nil {
		return Estimate{}, err
	}
	return Estimate{Value: value, Error: sd[0]}, nil
}
