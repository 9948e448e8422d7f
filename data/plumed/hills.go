package plumed

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sort"
	"strings"
)

// Hills are the Gaussians that METAD added to a bias, in the order of the file:
//
//	V(x) = Σ h·K(½ dᵀΣ⁻¹d),   d = x − centre, by the shortest way round
//
// K is exp up to ½·12.5, and nothing beyond: as it is before PLUMED 2.8 (kerneltype gaussian), or stretched to fall to
// zero there (stretched-gaussian). Under well-tempering (biasf γ > 1) the file has heights that are γ/(γ−1) times those
// of the bias, so that their sum is minus the free energy; here they are those of the bias, h = (γ−1)/γ of the file's.
// Source: MetaD::writeGaussian, readGaussians and evaluateGaussian of PLUMED 2, bias/MetaD.cpp; Barducci, Bussi and
// Parrinello, doi 10.1103/PhysRevLett.100.020603.
type Hills struct {
	Names      []string  // of the variables
	Min, Max   []float64 // of variables that close on themselves; both 0: of none
	Time       []float64 // [hills], ps
	Centre     []float64 // [hills, variables], rad, nm
	Height     []float64 // [hills], of the bias, kJ/mol
	BiasFactor float64   // γ; −1 where the heights are not tempered

	inverse   []float64 // [hills, n(n+1)/2]: rows of L⁻¹, Σ = L Lᵀ
	stretched bool
	order     []int     // of hills, by the first variable
	first     []float64 // [hills], in this order
	reach     float64   // of the widest hill along the first variable
}

// cutoff is ½dᵀΣ⁻¹d beyond which PLUMED's hills are zero (DP2CUTOFF), and expCutoff what is left of exp there.
const cutoff = 6.25

var expCutoff = math.Exp(-cutoff)

// ReadHills reads a HILLS file; those of several walkers may be put one behind the other. Errors name file and line.
func ReadHills(path string) (*Hills, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("plumed: %w", err)
	}
	defer f.Close()
	return ParseHills(f, path)
}

// ParseHills reads hills from r; name is for messages. Widths are one a variable, or the lower triangle of Cholesky's
// root of their covariance (multivariate).
func ParseHills(r io.Reader, name string) (*Hills, error) {
	t, err := ParseTable(r, name)
	if err != nil {
		return nil, err
	}
	h := &Hills{}
	if err := h.header(t); err != nil {
		return nil, fmt.Errorf("plumed: %s: %w", name, err)
	}
	for i := range t.Lines {
		if err := h.row(t, i); err != nil {
			return nil, fmt.Errorf("plumed: %s: line %d: %w", name, t.Lines[i], err)
		}
	}
	h.sort()
	return h, nil
}

// header finds the variables, which stand between the time and the widths.
func (h *Hills) header(t *Table) error {
	if len(t.Names) < 3 || t.Names[0] != "time" || !t.Has("height") {
		return fmt.Errorf("its columns are %s: no list of hills, which METAD writes as HILLS",
			strings.Join(t.Names, ", "))
	}
	if t.Has("logweight") {
		return errors.New("it is the list of kernels of OPES: have PRINT write opes.bias, and import that file " +
			"(COLVAR) with -colvar")
	}
	if t.Has("lower_int") {
		return errors.New("its hills are cut at the ends of an interval (INTERVAL), which is not read: import " +
			"METAD's grid (GRID_WFILE)")
	}
	for _, name := range t.Names[1:] {
		if strings.HasPrefix(name, "sigma_") {
			break
		}
		h.Names = append(h.Names, name)
		low, high, _, err := t.domain(name)
		if err != nil {
			return err
		}
		h.Min, h.Max = append(h.Min, low), append(h.Max, high)
	}
	switch kernel := t.Set["kerneltype"]; kernel {
	case "", "gaussian":
	case "stretched-gaussian":
		h.stretched = true
	default:
		return fmt.Errorf("its hills are of the kind %s; gaussian and stretched-gaussian are read", kernel)
	}
	for k := range h.Names {
		for j := range k + 1 {
			if name := h.width(k, j, t); name != "" && !t.Has(name) {
				return fmt.Errorf("there is no column %s: it has %s", name, strings.Join(t.Names, ", "))
			}
		}
	}
	return nil
}

// width is the column of an element of the root of the covariance, k ≥ j; "" for one that is zero.
func (h *Hills) width(k, j int, t *Table) string {
	switch {
	case t.Set["multivariate"] == "true":
		return "sigma_" + h.Names[k] + "_" + h.Names[j]
	case k == j:
		return "sigma_" + h.Names[k]
	}
	return ""
}

// row adds a hill.
func (h *Hills) row(t *Table, i int) error {
	value := func(name string) (float64, error) {
		v := t.Columns[slices.Index(t.Names, name)][i]
		if !finite(v) {
			return 0, fmt.Errorf("%s is not a finite number", name)
		}
		return v, nil
	}
	time, err := value("time")
	if err != nil {
		return err
	}
	for _, name := range h.Names {
		v, err := value(name)
		if err != nil {
			return err
		}
		h.Centre = append(h.Centre, v)
	}
	n := len(h.Names)
	root := make([]float64, n*n)
	for k := range n {
		for j := range k + 1 {
			name := h.width(k, j, t)
			if name == "" {
				continue
			}
			if root[k*n+j], err = value(name); err != nil {
				return err
			}
			if k == j && !(root[k*n+j] > 0) {
				return fmt.Errorf("%s is %g: a width is positive", name, root[k*n+j])
			}
		}
	}
	h.inverse = append(h.inverse, invert(root, n)...)
	height, err := value("height")
	if err != nil {
		return err
	}
	factor := -1.0
	if t.Has("biasf") {
		if factor, err = value("biasf"); err != nil {
			return err
		}
	}
	switch {
	case i > 0 && factor != h.BiasFactor:
		return fmt.Errorf("biasf is %g, and %g before: hills of one run have one", factor, h.BiasFactor)
	case factor == 1:
		return errors.New("biasf is 1: such a run adds no bias, and its frames need no weights")
	case factor > 1:
		height *= (factor - 1) / factor
	}
	h.BiasFactor = factor
	h.Time, h.Height = append(h.Time, time), append(h.Height, height)
	return nil
}

// invert is the inverse of a lower triangle, [n, n], as rows one behind the other without zeros.
func invert(root []float64, n int) (out []float64) {
	full := make([]float64, n*n)
	for k := range n {
		for j := range k + 1 {
			sum := 0.0
			if k == j {
				sum = 1
			}
			for m := j; m < k; m++ {
				sum -= root[k*n+m] * full[m*n+j]
			}
			full[k*n+j] = sum / root[k*n+k]
		}
		out = append(out, full[k*n:k*n+k+1]...)
	}
	return out
}

// sort puts the hills in the order of the first variable, and finds how far they reach.
func (h *Hills) sort() {
	n := len(h.Names)
	h.order = make([]int, len(h.Height))
	for i := range h.order {
		h.order[i] = i
		h.reach = max(h.reach, math.Sqrt(2*cutoff)/h.inverse[i*n*(n+1)/2])
		h.Centre[i*n] = h.wrap(0, h.Centre[i*n])
	}
	slices.SortStableFunc(h.order, func(a, b int) int {
		switch x, y := h.Centre[a*n], h.Centre[b*n]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for _, i := range h.order {
		h.first = append(h.first, h.Centre[i*n])
	}
}

// Period of variable k; 0: it does not close on itself.
func (h *Hills) Period(k int) float64 { return h.Max[k] - h.Min[k] }

// wrap brings a value between the ends of a variable that closes on itself.
func (h *Hills) wrap(k int, x float64) float64 {
	if p := h.Period(k); p > 0 {
		x -= p * math.Floor((x-h.Min[k])/p)
	}
	return x
}

// At returns the bias at x, a number a variable, rad, nm, by the hills before a time, ps (+Inf: all); kJ/mol.
func (h *Hills) At(x []float64, before float64) (sum float64) {
	x = slices.Clone(x)
	x[0] = h.wrap(0, x[0])
	add := func(low, high float64) {
		for k := sort.SearchFloat64s(h.first, low); k < len(h.first) && h.first[k] <= high; k++ {
			if i := h.order[k]; h.Time[i] < before {
				sum += h.hill(i, x)
			}
		}
	}
	p := h.Period(0)
	switch {
	case p > 0 && 2*h.reach >= p:
		add(math.Inf(-1), math.Inf(1))
	case p > 0:
		for turn := -1.0; turn <= 1; turn++ {
			add(x[0]+turn*p-h.reach, x[0]+turn*p+h.reach)
		}
	default:
		add(x[0]-h.reach, x[0]+h.reach)
	}
	return sum
}

// Near tells whether x is within a width of hill i.
func (h *Hills) Near(i int, x []float64) bool { return h.square(i, x) < 0.5 }

// hill is what one of them adds at x.
func (h *Hills) hill(i int, x []float64) float64 {
	switch square := h.square(i, x); {
	case square >= cutoff:
		return 0
	case h.stretched:
		return h.Height[i] * (math.Exp(-square) - expCutoff) / (1 - expCutoff)
	default:
		return h.Height[i] * math.Exp(-square)
	}
}

// square is ½dᵀΣ⁻¹d of x from the middle of hill i.
func (h *Hills) square(i int, x []float64) (sum float64) {
	n := len(h.Names)
	var buffer [4]float64
	d := buffer[:0]
	for k := range n {
		v := x[k] - h.Centre[i*n+k]
		if p := h.Period(k); p > 0 {
			v -= p * math.Round(v/p)
		}
		d = append(d, v)
	}
	at := i * n * (n + 1) / 2
	for k := range n {
		z := 0.0
		for j := range k + 1 {
			z += h.inverse[at] * d[j]
			at++
		}
		sum += z * z / 2
	}
	return sum
}
