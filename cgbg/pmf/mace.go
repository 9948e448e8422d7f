package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/cgbg-go/lab/cgbg/e3"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// MACE is the equivariant message-passing potential of the publication
// (paper, D.1; I. Batatia et al., arXiv 2206.07697): Bessel functions of the
// distances, spherical harmonics of the directions, messages by tensor products,
// and a symmetric contraction of their sums up to a correlation order. Units: nm, kJ/mol.
//
// It is invariant under translation, rotation and reflection, and under
// exchange of beads of one species; blind to handedness, therefore. Details that
// the publication of MACE leaves open are those of the coarse-grained code: the
// normalisation ε = 1/√(1+g²) acts twice, and the energy is read from the last
// layer only.
type MACE struct {
	Species    []int     // of each bead: its row in the parameters that species have
	Rows       int       // of those parameters; the publication has one per bead, most of them unused
	Cutoff     float64   // nm
	Neighbours float64   // mean number within the cutoff: g starts at its square root
	Box        []float64 // lengths of a periodic rectangular box, nm; nil: open
	ListFrom   int       // number of beads from which a neighbour list replaces all pairs; 0: a default

	Channels    int   // features of every degree
	Embed       int   // features of a species' identity
	Radial      int   // Bessel functions
	Hidden      []int // widths of the radial network
	Readout     int   // width of the last network
	Layers      int   // interactions
	LMax        int   // degree of harmonics and of messages
	LHidden     int   // degree of the features between layers
	Correlation int   // order of the symmetric contraction, 1 to 3

	// Prior is an analytic energy that is added to the network's; none by default.
	Prior Prior

	// Gauges are the bases of the symmetric contractions in those of package e3
	// (see [e3.Symmetric.Gauge]), under names as "U3_l0"; nil for those of e3.
	// An imported model keeps the basis that its weights belong to.
	Gauges map[string][]float64
}

// NewMACE has the published sizes. species: a number of each bead, from 0.
// neighbours: their mean number within the cutoff of 0.5 nm.
func NewMACE(species []int, neighbours float64) MACE {
	rows := 0
	for _, s := range species {
		rows = max(rows, s+1)
	}
	return MACE{Species: species, Rows: rows, Cutoff: 0.5, Neighbours: neighbours,
		Channels: 32, Embed: 32, Radial: 8, Hidden: []int{64, 64, 64}, Readout: 16,
		Layers: 2, LMax: 3, LHidden: 1, Correlation: 3}
}

var maceKind = Kind{
	Name:     "mace",
	About:    "the equivariant message-passing network of the publication",
	Molecule: true,
	Species:  true,
	Sizes: Sizes{Width: 32, Layers: 2, Embed: 32, Radial: 8, RadialWidth: 64, RadialDepth: 3, Readout: 16,
		LMax: 3, LHidden: 1, Correlation: 3},
	SmallSizes: Sizes{Width: 4, Embed: 4, RadialWidth: 8, RadialDepth: 1, Readout: 4, LMax: 1, Correlation: 2},
	// Published (paper, D.1). Steps are not fused: those take long to compile.
	Fit: Config{Epochs: 250, Batch: 256, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1, StepsPerCall: 1},
	Quick: Config{Epochs: 7, Batch: 256, Rate: 5e-3, RateDecay: 1e-2, Cosine: true, ClipNorm: 1, Validation: 0.1,
		StepsPerCall: 1},
	Small: Config{Epochs: 1, Batch: 256, Rate: 1e-2, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1, StepsPerCall: 1},
	form: &form{mark: "param/embed/table", write: writeMACE,
		read: func(arrays map[string]*tensors.Tensor) (Potential, error) { return maceOf(arrays) }},
	is:    isA[MACE],
	build: buildMACE,
}

// buildMACE numbers the species from 0, in the order of their codes, and counts neighbours in the frames.
func buildMACE(frames []float32, beads int, species []int, _ float64, o Sizes) (Potential, error) {
	if len(frames) == 0 || len(frames)%(3*beads) != 0 {
		return nil, fmt.Errorf("pmf: %d numbers are no frames of %d beads", len(frames), beads)
	}
	codes := slices.Compact(slices.Sorted(slices.Values(species)))
	rows := make([]int, beads)
	for i, code := range species {
		rows[i] = slices.Index(codes, code)
	}
	p := NewMACE(rows, 0)
	p.Neighbours = meanNeighbours(frames, beads, p.Cutoff)
	p.Channels, p.Layers, p.Embed, p.Radial, p.Readout = o.Width, o.Layers, o.Embed, o.Radial, o.Readout
	p.Hidden = slices.Repeat([]int{o.RadialWidth}, o.RadialDepth)
	p.LMax, p.LHidden, p.Correlation = o.LMax, o.LHidden, o.Correlation
	return p, p.Check()
}

// siluNorm is √E[silu(z)²] of a standard normal z, the exact integral.
const siluNorm = 0.5964692111227134

// Check reports the first setting that makes no sense.
func (p MACE) Check() error {
	for _, s := range p.Species {
		if s < 0 || s >= p.Rows {
			return fmt.Errorf("pmf: MACE: species %d of a bead: parameters have %d rows", s, p.Rows)
		}
	}
	switch {
	case len(p.Species) < 2:
		return fmt.Errorf("pmf: MACE: %d beads: at least two", len(p.Species))
	case !(p.Cutoff > 0) || p.Neighbours < 0:
		return fmt.Errorf("pmf: MACE: cutoff %g nm, %g neighbours: both must be positive", p.Cutoff, p.Neighbours)
	case p.Channels < 1 || p.Embed < 1 || p.Radial < 1 || p.Readout < 1 || p.Layers < 1:
		return fmt.Errorf("pmf: MACE: Channels, Embed, Radial, Readout and Layers must be positive")
	case len(p.Hidden) > 0 && slices.Min(p.Hidden) < 1:
		return fmt.Errorf("pmf: MACE: a radial network of widths %v", p.Hidden)
	case p.LMax < 0 || p.LMax > 4 || p.LHidden < 0 || p.LHidden > p.LMax:
		return fmt.Errorf("pmf: MACE: degrees %d and, of features, %d: at most 4, features not above",
			p.LMax, p.LHidden)
	case p.Correlation < 1 || p.Correlation > 3:
		return fmt.Errorf("pmf: MACE: correlation %d: 1, 2 or 3", p.Correlation)
	case p.Box != nil && (len(p.Box) != 3 || !(slices.Min(p.Box) >= 2*p.Cutoff)):
		return fmt.Errorf("pmf: MACE: box %v nm: three lengths of at least twice the cutoff %g", p.Box, p.Cutoff)
	}
	return p.Prior.check(len(p.Species))
}

// Dim is 3·beads.
func (p MACE) Dim() int { return 3 * len(p.Species) }

// Chunk is the number of frames evaluated at once: fewer cost calls, more the cache.
func (p MACE) Chunk() int { return 32 }

// listFrom is where BenchmarkNeighbours begins to gain from a list.
const listFrom = 16

// Reach is the cutoff and the box, and whether a neighbour list is made.
func (p MACE) Reach() (cutoff float64, box []float64, ok bool) {
	from := p.ListFrom
	if from == 0 {
		from = listFrom
	}
	return p.Cutoff, p.Box, len(p.Species) >= from
}

// degrees are 0 … l.
func degrees(l int) []int {
	out := make([]int, l+1)
	for i := range out {
		out[i] = i
	}
	return out
}

// in are the degrees of the features that a layer reads.
func (p MACE) in(layer int) []int {
	if layer == 0 {
		return degrees(0)
	}
	return degrees(p.LHidden)
}

// out are the degrees of the features that a layer writes.
func (p MACE) out(layer int) []int {
	if layer == p.Layers-1 {
		return degrees(0)
	}
	return degrees(p.LHidden)
}

// widths are those of a layer's radial network.
func (p MACE) widths(layer int) []int {
	paths := 0
	for l := range p.LMax + 1 {
		paths += len(e3.Paths(p.in(layer), p.LMax, l))
	}
	return slices.Concat([]int{p.Radial}, p.Hidden, []int{p.Channels * paths})
}

// parameter is an array of the model: its name, shape and standard deviation
// at the start.
type parameter struct {
	name string
	dims []int
	std  float64
}

// parameters lists the arrays that start at random, with the reference's names.
func (p MACE) parameters() []parameter {
	c := p.Channels
	out := []parameter{
		{"embed/table", []int{p.Rows, p.Embed}, 1},
		{"embed/linear", []int{p.Embed, c}, 1 / math.Sqrt(float64(p.Embed))},
	}
	for t := range p.Layers {
		add := func(std float64, name string, dims ...int) {
			out = append(out, parameter{fmt.Sprintf("%d/%s", t, name), dims, std})
		}
		for _, l := range p.in(t) {
			add(1, fmt.Sprintf("up_l%d", l), c, c)
		}
		widths := p.widths(t)
		for k := range len(widths) - 1 {
			add(1, fmt.Sprintf("radial_%d", k), widths[k], widths[k+1])
		}
		for l := range p.LMax + 1 {
			add(1, fmt.Sprintf("down_l%d", l), c*len(e3.Paths(p.in(t), p.LMax, l)), c)
			if t == 0 {
				add(1, fmt.Sprintf("species_l%d", l), p.Rows, c, c)
			}
		}
		for _, l := range p.out(t) {
			if t > 0 {
				add(1, fmt.Sprintf("skip_l%d", l), p.Rows, c, c)
			}
			for nu := 1; nu <= p.Correlation; nu++ {
				k := symmetric(p.LMax, nu, l).K
				add(1/float64(k), fmt.Sprintf("w%d_l%d", nu, l), p.Rows, k, c)
			}
			add(1, fmt.Sprintf("out_l%d", l), c, c)
		}
	}
	return append(out,
		parameter{"readout/hidden", []int{c, p.Readout}, 1}, parameter{"readout/out", []int{p.Readout, 1}, 1})
}

// Init creates the parameters as published: normal, cut at two standard
// deviations in the embedding; it panics where Check has an error.
func (p MACE) Init(store *model.Store, rng *rand.Rand) {
	if err := p.Check(); err != nil {
		panic(err)
	}
	for _, a := range p.parameters() {
		size := 1
		for _, d := range a.dims {
			size *= d
		}
		values := make([]float32, size)
		for i := range values {
			z := rng.NormFloat64()
			for a.name[0] == 'e' && math.Abs(z) > 2 { // embed
				z = rng.NormFloat64()
			}
			values[i] = float32(a.std * z)
		}
		train.AddParam(store, a.name, values, a.dims...)
	}
	frequencies := make([]float32, p.Radial)
	for k := range frequencies {
		frequencies[k] = float32(math.Pi * float64(k+1))
	}
	train.AddParam(store, "frequencies", frequencies, p.Radial)
	train.AddParam(store, "neighbours", []float32{float32(math.Sqrt(p.Neighbours))})
	train.AddParam(store, "scale", []float32{1})
	train.AddParam(store, "shift", []float32{0})
	train.AddParam(store, "atomic", make([]float32, p.Rows), p.Rows)
}
