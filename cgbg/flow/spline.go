package flow

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/cgbg/zmatrix"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Spline is a flow that is exact in one pass: distances, angles and torsions of a tree of beads (package zmatrix) go
// through couplings of rational-quadratic splines. A sample costs as much as a few steps of a vector field, and its
// log-density is in closed form; centre and orientation are drawn beside it, uniform in all rotations, so that its
// density is of the same measure as that of vector fields (see [Samples]). A bond is as plain to it as a soft torsion,
// and a chiral centre keeps its hand.
//
// Coordinates are ln d, ln(θ/(π−θ)) and the torsions, standardised: whatever the splines make of them is a molecule. A
// torsion is on a circle if it turns in the frames, and on the line otherwise.
type Spline struct {
	Matrix zmatrix.Matrix
	Centre []float64 // of the coordinates, subtracted [3*beads−6]
	Spread []float64 // in units of which they are; 1 for circles
	couplings
}

const splineName = "spline"

var splineKind = Kind{
	Name:       splineName,
	About:      "ours, exact in one pass: splines of bonds, angles and torsions; a thousand times cheaper samples",
	Molecule:   true,
	Sizes:      Sizes{Width: 128, Layers: 10, Bins: 12},
	SmallSizes: Sizes{Width: 32, Layers: 4},
	WidthAlone: true,
	Fit: Config{Epochs: 8, Batch: 512, RateHigh: 1e-3, RateLow: 1e-5, WeightDecay: 1e-4, ClipNorm: 5, EMA: 0.999,
		Validation: 10, StepsPerCall: 1},
	Quick: Config{Epochs: 6, Batch: 512, RateHigh: 1e-3, RateLow: 1e-5, WeightDecay: 1e-4, ClipNorm: 5, EMA: 0.999,
		Validation: 10, StepsPerCall: 1},
	Small: Config{Epochs: 3, Batch: 256, RateHigh: 1e-3, RateLow: 1e-5, WeightDecay: 1e-4, ClipNorm: 5, EMA: 0.99,
		Validation: 10, StepsPerCall: 1},
	sampling: Accuracy{Batch: 1024, Checks: 64, Single: true, Adaptive: true},
	form:     &form{mark: zmatrixArray, write: writeSpline, read: readSpline},
	is:       isA[Spline],
	build: func(frames []float32, beads int, o Sizes) (Network, error) {
		return NewSpline(frames, beads, o)
	},
}

// A torsion turns if the mean of its unit vectors is shorter than this, or some frame is so far from the mean
// direction, rad. (Of a normal distribution of 0.45 rad that length is 0.9; its frames stay within 2.4.)
const (
	leastResultant = 0.9
	farTorsion     = 2.4
	leastSpread    = 1e-3 // of a coordinate; constraints vary by their tolerance, stiff bonds by 1e-2
)

// NewSpline finds the tree and takes the statistics of its coordinates.
//
// frames: those to train on, [n, beads, 3], flattened, nm; o: width, layers and bins. Errors: those of [zmatrix.New];
// coordinates that do not vary, by the numbers of their beads.
func NewSpline(frames []float32, beads int, o Sizes) (Spline, error) {
	m, err := zmatrix.New(frames, beads)
	if err != nil {
		return Spline{}, fmt.Errorf("flow: a flow of internal coordinates: %w; or choose another kind (equivariant)", err)
	}
	f := Spline{Matrix: *m}
	dim, n := m.Dim(), len(frames)/(axes*beads)
	q := make([]float64, n*dim)
	r := make([]float64, axes*beads)
	for i := range n {
		widen(frames[i*len(r):(i+1)*len(r)], r)
		m.Internal(r, q[i*dim:(i+1)*dim])
	}
	turning := m.Bonds() + m.Angles()
	circle := make([]bool, dim)
	f.Centre, f.Spread = make([]float64, dim), make([]float64, dim)
	for k := range dim {
		if k >= turning {
			f.Centre[k], circle[k] = direction(q, dim, k)
		}
		if circle[k] {
			f.Centre[k], f.Spread[k] = 0, 1
			continue
		}
		var mean, squares float64
		for i := range n {
			v := f.unbounded(k, q[i*dim+k])
			mean, squares = mean+v/float64(n), squares+v*v/float64(n)
		}
		f.Centre[k] += mean
		f.Spread[k] = math.Sqrt(max(0, squares-mean*mean))
		if !(f.Spread[k] > leastSpread) {
			return f, fmt.Errorf("flow: the coordinate of beads %s does not vary in the frames (spread %g): a constraint has "+
				"no density; leave the bead out of the map, or choose another kind of flow (equivariant)",
				m.Name(k, numbered(beads)), f.Spread[k])
		}
	}
	rng := rand.New(rand.NewPCG(uint64(dim), 0x73706c696e65))
	f.couplings = newCouplings(circle, o.Layers, o.Width, o.Bins, rng)
	return f, nil
}

// from is the network of a file, whose tree, statistics and masks its parameters belong to. Error: no spline flow of as
// many beads.
func (f Spline) from(path string) (Network, error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, err
	}
	if arrays[zmatrixArray] == nil {
		return nil, fmt.Errorf("%s is no flow of the kind %s, to go on from", path, splineName)
	}
	n, beads, err := readSpline(arrays)
	if err == nil && beads != f.Matrix.Beads {
		err = fmt.Errorf("a flow of %d beads, here are %d", beads, f.Matrix.Beads)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// direction is the mean direction of torsion k, and whether the torsion turns.
func direction(q []float64, dim, k int) (mean float64, turns bool) {
	var x, y float64
	n := len(q) / dim
	for i := range n {
		sin, cos := math.Sincos(q[i*dim+k])
		x, y = x+cos/float64(n), y+sin/float64(n)
	}
	mean = math.Atan2(y, x)
	for i := range n {
		turns = turns || math.Abs(turned(q[i*dim+k]-mean)) > farTorsion
	}
	return mean, turns || math.Hypot(x, y) < leastResultant
}

// turned is the angle in (−π, π].
func turned(a float64) float64 { return a - 2*math.Pi*math.Round(a/(2*math.Pi)) }

func numbered(beads int) (names []string) {
	for i := range beads {
		names = append(names, fmt.Sprint(i))
	}
	return names
}

func widen(x []float32, out []float64) {
	for i, v := range x {
		out[i] = float64(v)
	}
}

// unbounded is coordinate k as the splines see it, less its centre: any real number is that of a molecule.
func (f Spline) unbounded(k int, v float64) float64 {
	switch {
	case k < f.Matrix.Bonds():
		return math.Log(v) - f.Centre[k]
	case k < f.Matrix.Bonds()+f.Matrix.Angles():
		return math.Log(v/(math.Pi-v)) - f.Centre[k]
	}
	return turned(v - f.Centre[k])
}

// standard takes coordinates to those of the splines.
//
// q: [coordinates], see [zmatrix.Matrix]; x: the same. Result: ln |∂x/∂q|.
func (f Spline) standard(q, x []float64) (logDet float64) {
	for k, v := range q {
		x[k] = f.unbounded(k, v) / f.Spread[k]
		logDet -= math.Log(f.Spread[k])
		switch {
		case k < f.Matrix.Bonds():
			logDet -= math.Log(v)
		case k < f.Matrix.Bonds()+f.Matrix.Angles():
			logDet += math.Log(math.Pi / (v * (math.Pi - v)))
		}
	}
	return logDet
}

// internal is the inverse of standard.
func (f Spline) internal(x, q []float64) {
	for k, v := range x {
		v = v*f.Spread[k] + f.Centre[k]
		switch {
		case k < f.Matrix.Bonds():
			q[k] = math.Exp(v)
		case k < f.Matrix.Bonds()+f.Matrix.Angles():
			q[k] = math.Pi / (1 + math.Exp(-v))
		default:
			q[k] = turned(v)
		}
	}
}

// Dim is the number of coordinates of the beads.
func (f Spline) Dim() int { return axes * f.Matrix.Beads }

// Init creates the parameters.
func (f Spline) Init(store *model.Store, rng *rand.Rand) { f.couplings.init(store, rng) }

// Arrays of a file that parameters do not tell.
const (
	zmatrixArray = "const/zmatrix" // [beads, 4] int32: rows I, J, K, L; those of the root end in −1
	centreArray  = "const/centre"  // [3*beads−6]
	spreadArray  = "const/spread"  // [3*beads−6]
	circleArray  = "const/circle"  // [3*beads−6] 0 or 1
	movedArray   = "const/moved"   // [layers, 3*beads−6] 0 or 1
	shiftArray   = "const/shift"   // [layers, 3*beads−6] rad
)

func writeSpline(n Network, arrays map[string]*tensors.Tensor) {
	f := n.(Spline)
	m := &f.Matrix
	rows := []int32{int32(m.Root[0]), int32(m.Root[1]), int32(m.Root[2]), -1}
	for _, r := range m.Rows {
		rows = append(rows, int32(r.I), int32(r.J), int32(r.K), int32(r.L))
	}
	flags := func(list []bool) (out []float64) {
		for _, v := range list {
			x := 0.0
			if v {
				x = 1
			}
			out = append(out, x)
		}
		return out
	}
	dim, layers := m.Dim(), len(f.Moved)
	var moved, shift []float64
	for l := range layers {
		moved, shift = append(moved, flags(f.Moved[l])...), append(shift, f.Shifts[l]...)
	}
	arrays[zmatrixArray] = tensors.FromFlatDataAndDimensions(rows, len(rows)/4, 4)
	arrays[centreArray] = tensors.FromFlatDataAndDimensions(f.Centre, dim)
	arrays[spreadArray] = tensors.FromFlatDataAndDimensions(f.Spread, dim)
	arrays[circleArray] = tensors.FromFlatDataAndDimensions(flags(f.Circle), dim)
	arrays[movedArray] = tensors.FromFlatDataAndDimensions(moved, layers, dim)
	arrays[shiftArray] = tensors.FromFlatDataAndDimensions(shift, layers, dim)
}

func readSpline(arrays map[string]*tensors.Tensor) (Network, int, error) {
	misfit := func(name, want string) error { return fmt.Errorf("array %q is not %s", name, want) }
	a := arrays[zmatrixArray]
	if a.DType() != dtypes.Int32 || a.Rank() != 2 || a.Shape().Dim(1) != 4 || a.Shape().Dim(0) < 1 {
		return nil, 0, misfit(zmatrixArray, "[beads − 2, 4] int32")
	}
	rows, err := tensors.CopyFlatData[int32](a)
	if err != nil {
		return nil, 0, err
	}
	m := &zmatrix.Matrix{Beads: len(rows)/4 + 2, Root: [3]int{int(rows[0]), int(rows[1]), int(rows[2])}}
	for r := rows[4:]; len(r) > 0; r = r[4:] {
		m.Rows = append(m.Rows, zmatrix.Row{I: int(r[0]), J: int(r[1]), K: int(r[2]), L: int(r[3])})
	}
	if err := m.Check(); err != nil {
		return nil, 0, fmt.Errorf("array %q: %w", zmatrixArray, err)
	}
	dim := m.Dim()
	numbers := func(name string, n int) []float64 {
		a := arrays[name]
		if a == nil || a.DType() != dtypes.Float64 || n > 0 && a.Shape().Size() != n || a.Shape().Size()%dim != 0 {
			err = misfit(name, fmt.Sprintf("float64 of %d coordinates", dim))
			return nil
		}
		flat, _ := tensors.CopyFlatData[float64](a)
		return flat
	}
	f := Spline{Matrix: *m, Centre: numbers(centreArray, dim), Spread: numbers(spreadArray, dim)}
	circle, moved := numbers(circleArray, dim), numbers(movedArray, 0)
	shift := numbers(shiftArray, len(moved))
	if err != nil {
		return nil, 0, err
	}
	flags := func(list []float64) (out []bool) {
		for _, v := range list {
			out = append(out, v != 0)
		}
		return out
	}
	f.Circle = flags(circle)
	for l := range len(moved) / dim {
		f.Moved = append(f.Moved, flags(moved[l*dim:(l+1)*dim]))
		f.Shifts = append(f.Shifts, shift[l*dim:(l+1)*dim])
	}
	_, f.Width = rank2(arrays, "param/layers/0/in/w")
	_, out := rank2(arrays, "param/layers/0/out/w")
	if first, _, _ := f.parts(0); f.Width == 0 || len(first) == 0 || out%(3*len(first)) != 0 || out == 0 {
		return nil, 0, misfit("param/layers/0/out/w", "that of a layer of splines")
	} else {
		f.Bins = out / (3 * len(first))
	}
	return f, m.Beads, nil
}

// place builds the beads' positions in nm, [batch, 3*beads], of coordinates of the splines, [coordinates, batch], as
// [zmatrix.Matrix.Place] has them, and ln of the volume of the beads' positions over that of the splines' coordinates,
// rigid motion apart, [batch].
func (f Spline) place(x *graph.Node) (r, logVolume *graph.Node) {
	m := &f.Matrix
	v := graph.Add(graph.Mul(x, column(x, f.Spread)), column(x, f.Centre))
	part := func(from, to int) *graph.Node { return graph.Slice(v, graph.AxisRange(from, to)) }
	turning := m.Bonds() + m.Angles()
	logBond, logit := part(0, m.Bonds()), part(m.Bonds(), turning)
	bond := graph.Exp(logBond)
	angle := graph.MulScalar(graph.Sigmoid(logit), math.Pi)
	sin, cos := graph.Sin(angle), graph.Cos(angle)
	// Of the positions 2 ln d and ln sin θ; of the coordinates ln |∂d/∂ln d| = ln d and ln |∂θ/∂logit|.
	slope := graph.Sub(graph.Neg(softplus(logit)), softplus(graph.Neg(logit)))
	logVolume = graph.Add(graph.MulScalar(graph.ReduceSum(logBond, 0), 3),
		graph.ReduceSum(graph.Add(graph.Log(graph.MaxScalar(sin, 1e-30)), slope), 0))
	constants := float64(m.Angles()) * math.Log(math.Pi)
	for _, s := range f.Spread {
		constants += math.Log(s)
	}
	logVolume = graph.AddScalar(logVolume, constants)

	row := func(a *graph.Node, k int) *graph.Node { return graph.Slice(a, graph.AxisElem(k)) }
	zero := graph.ZerosLike(row(bond, 0))
	at := make([]nodes, m.Beads)
	at[m.Root[1]] = nodes{zero, zero, zero}
	at[m.Root[0]] = nodes{row(bond, 0), zero, zero}
	at[m.Root[2]] = nodes{graph.Mul(row(bond, 1), row(cos, 0)), graph.Mul(row(bond, 1), row(sin, 0)), zero}
	for n, p := range m.Rows {
		torsion := row(v, turning+n)
		d, s, c := row(bond, 2+n), row(sin, 1+n), row(cos, 1+n)
		j, k := at[p.J], at[p.K]
		u := j.sub(k).unit()
		across := k.sub(at[p.L]).cross(u).unit()
		w := across.cross(u)
		ds := graph.Mul(d, s)
		at[p.I] = j.sub(u.scale(graph.Mul(d, c))).add(w.scale(graph.Mul(ds, graph.Cos(torsion)))).
			add(across.scale(graph.Mul(ds, graph.Sin(torsion))))
	}
	var all []*graph.Node
	for _, p := range at {
		all = append(all, p[:]...)
	}
	return graph.Transpose(graph.Concatenate(all, 0), 0, 1), logVolume
}

// nodes are the components of vectors, [1, batch] each.
type nodes [axes]*graph.Node

func (v nodes) add(w nodes) nodes {
	return nodes{graph.Add(v[0], w[0]), graph.Add(v[1], w[1]), graph.Add(v[2], w[2])}
}

func (v nodes) sub(w nodes) nodes {
	return nodes{graph.Sub(v[0], w[0]), graph.Sub(v[1], w[1]), graph.Sub(v[2], w[2])}
}

func (v nodes) scale(s *graph.Node) nodes {
	return nodes{graph.Mul(v[0], s), graph.Mul(v[1], s), graph.Mul(v[2], s)}
}

func (v nodes) unit() nodes {
	square := graph.Add(graph.Add(graph.Square(v[0]), graph.Square(v[1])), graph.Square(v[2]))
	return v.scale(graph.Reciprocal(graph.Sqrt(graph.MaxScalar(square, 1e-20))))
}

func (v nodes) cross(w nodes) nodes {
	minor := func(a, b int) *graph.Node { return graph.Sub(graph.Mul(v[a], w[b]), graph.Mul(v[b], w[a])) }
	return nodes{minor(1, 2), minor(2, 0), minor(0, 1)}
}
