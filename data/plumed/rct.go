package plumed

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Offset is the part of a growing bias that all places share, METAD's rct:
//
//	c = kT log ∫ exp(γ/(γ−1) V/kT) dx / ∫ exp(V/((γ−1) kT)) dx
//
// after every hill. The bias of a frame at its time less c, METAD's rbias, weighs frames of all times alike.
// Source: Tiwary and Parrinello, doi 10.1021/jp504920s; MetaD::computeReweightingFactor of PLUMED 2, bias/MetaD.cpp.
type Offset struct {
	time  []float64 // of hills, increasing
	value []float64 // from that time on, kJ/mol
}

const (
	offsetBins = 20000 // of the grid that the integrals are taken on, at most
	perWidth   = 2     // points in a hill's width, at least, where that is not too many
	mostTilt   = 600   // V/kT beyond which exp overflows
)

// Offset integrates over a grid: from low to high along variables that do not close on themselves, where both are not
// 0; otherwise as far as the hills reach. kT in kJ/mol. Errors: more than two variables; a bias beyond 600 kT.
func (h *Hills) Offset(kT float64, low, high []float64) (*Offset, error) {
	n := len(h.Names)
	if n > 2 {
		return nil, fmt.Errorf("plumed: rct of hills of %d variables; of one or two it is found", n)
	}
	places := h.lattice(low, high)
	tempered, flat := h.BiasFactor/(h.BiasFactor-1)/kT, 1/(h.BiasFactor-1)/kT
	if h.BiasFactor < 0 {
		tempered, flat = 1/kT, 0
	}
	inTime := make([]int, len(h.Time))
	for i := range inTime {
		inTime[i] = i
	}
	slices.SortStableFunc(inTime, func(a, b int) int {
		if h.Time[a] < h.Time[b] {
			return -1
		} else if h.Time[a] > h.Time[b] {
			return 1
		}
		return 0
	})
	bias := make([]float64, len(places))
	up, down := float64(len(places)), float64(len(places)) // exp 0 at all places
	o := &Offset{}
	for _, i := range inTime {
		for k, x := range places {
			v := h.hill(i, x)
			if v == 0 {
				continue
			}
			up -= math.Exp(tempered * bias[k])
			down -= math.Exp(flat * bias[k])
			bias[k] += v
			if tempered*bias[k] > mostTilt {
				return nil, fmt.Errorf("plumed: the bias is above %d kT at %g: it is no weight; is -temperature "+
					"right?", mostTilt, x)
			}
			up += math.Exp(tempered * bias[k])
			down += math.Exp(flat * bias[k])
		}
		o.time, o.value = append(o.time, h.Time[i]), append(o.value, kT*math.Log(up/down))
	}
	return o, nil
}

// At is the offset by the hills before a time, kJ/mol.
func (o *Offset) At(before float64) float64 {
	if k := sort.SearchFloat64s(o.time, before); k > 0 {
		return o.value[k-1]
	}
	return 0
}

// lattice are the places of the grid, the middles of its cells.
func (h *Hills) lattice(low, high []float64) (places [][]float64) {
	n := len(h.Names)
	from, to, count := make([]float64, n), make([]float64, n), make([]int, n)
	for k := range n {
		narrow := math.Inf(1)
		from[k], to[k] = math.Inf(1), math.Inf(-1)
		for i := range h.Height {
			w := h.spread(i, k)
			narrow = min(narrow, w)
			x, r := h.Centre[i*n+k], w*math.Sqrt(2*cutoff)
			from[k], to[k] = min(from[k], x-r), max(to[k], x+r)
		}
		switch {
		case h.Period(k) > 0:
			from[k], to[k] = h.Min[k], h.Max[k]
		case k < len(low) && k < len(high) && low[k] < high[k]:
			from[k], to[k] = low[k], high[k]
		}
		most := int(math.Pow(offsetBins, 1/float64(n)))
		count[k] = max(1, min(most, int(math.Ceil(perWidth*(to[k]-from[k])/narrow))))
	}
	places = [][]float64{nil}
	for k := range n {
		var next [][]float64
		for _, p := range places {
			for j := range count[k] {
				x := from[k] + (to[k]-from[k])*(float64(j)+0.5)/float64(count[k])
				next = append(next, append(slices.Clone(p), x))
			}
		}
		places = next
	}
	return places
}

// spread is the standard deviation of a hill along variable k, of one or two: that of L Lᵀ.
func (h *Hills) spread(i, k int) float64 {
	n := len(h.Names)
	w := h.inverse[i*n*(n+1)/2:]
	if k == 0 {
		return 1 / w[0]
	}
	// L⁻¹ = [[a, 0], [b, c]], L = [[1/a, 0], [−b/(ac), 1/c]].
	return math.Hypot(w[1]/(w[0]*w[2]), 1/w[2])
}
