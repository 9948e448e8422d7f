package train

import "math"

// Schedule gives the learning rate of a step, counted from 0.
type Schedule func(step int) float64

// Constant is the same rate at every step.
func Constant(rate float64) Schedule { return func(int) float64 { return rate } }

// Cosine falls from high to low over the given number of steps along half a
// cosine (I. Loshchilov and F. Hutter, arXiv 1608.03983), and stays there.
func Cosine(high, low float64, steps int) Schedule {
	return func(step int) float64 {
		x := math.Min(1, float64(step)/float64(max(steps, 1)))
		return low + (high-low)*(1+math.Cos(math.Pi*x))/2
	}
}

// Exponential falls from rate by the factor decay over the given number of
// steps, smoothly.
func Exponential(rate, decay float64, steps int) Schedule {
	return func(step int) float64 {
		return rate * math.Pow(decay, float64(step)/float64(max(steps, 1)))
	}
}
