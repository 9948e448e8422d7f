package observable

import (
	"fmt"
	"math"
)

// FreeEnergy returns −kT ln p with its minimum at zero, [n], +Inf where p is zero.
// p: density or probability of equal cells, [n], of any scale; kT: the unit of the result. It panics if kT is not
// above zero.
func FreeEnergy(p []float64, kT float64) []float64 {
	if !(kT > 0) {
		panic(fmt.Sprintf("observable: kT is %g; it must be above zero", kT))
	}
	f := make([]float64, len(p))
	low := math.Inf(1)
	for i, v := range p {
		f[i] = -kT * math.Log(v)
		low = math.Min(low, f[i])
	}
	if math.IsInf(low, 0) {
		return f
	}
	for i := range f {
		f[i] -= low
	}
	return f
}

// AlignTo shifts f in place so that its mean, weighted by density, is that of ref. Points where either is not finite do
// not count. It returns the shift, which is the one of least weighted squared difference; 0 where nothing is left.
// f, ref, density: [n] on one grid. It panics if lengths differ.
func AlignTo(f, ref, density []float64) float64 {
	if len(f) != len(ref) || len(f) != len(density) {
		panic(fmt.Sprintf("observable: aligning %d points to %d with %d weights", len(f), len(ref), len(density)))
	}
	var s, total float64
	for i, v := range f {
		if d := ref[i] - v; !math.IsInf(d, 0) && !math.IsNaN(d) && density[i] > 0 {
			s += density[i] * d
			total += density[i]
		}
	}
	if total == 0 {
		return 0
	}
	shift := s / total
	for i := range f {
		f[i] += shift
	}
	return shift
}

// MeanAbsError returns the mean of |f − ref| over the points where ref, counted from its minimum, is at most cut, and
// the number of those points. Align first. It is +Inf if f is infinite at one of them, NaN if there is none.
// f, ref: [n], one unit of energy, that of cut. It panics if lengths differ.
func MeanAbsError(f, ref []float64, cut float64) (mean float64, points int) {
	return meanError(f, ref, cut, math.Abs)
}

// RMSError returns the root of the mean of (f − ref)²; all else is as for MeanAbsError.
func RMSError(f, ref []float64, cut float64) (rms float64, points int) {
	m, k := meanError(f, ref, cut, func(d float64) float64 { return d * d })
	return math.Sqrt(m), k
}

func meanError(f, ref []float64, cut float64, size func(float64) float64) (float64, int) {
	if len(f) != len(ref) {
		panic(fmt.Sprintf("observable: comparing %d points with %d", len(f), len(ref)))
	}
	low := math.Inf(1)
	for _, v := range ref {
		low = math.Min(low, v)
	}
	var s float64
	n := 0
	for i, v := range ref {
		if v-low <= cut {
			s += size(f[i] - v)
			n++
		}
	}
	return s / float64(n), n
}
