package zmatrix

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// walk is a frame of a chain with angles and torsions drawn at random, away from lines.
func walk(rng *rand.Rand, beads int) []float64 {
	r := make([]float64, 3*beads)
	m := &Matrix{Beads: beads, Root: [3]int{0, 1, 2}}
	for i := 3; i < beads; i++ {
		m.Rows = append(m.Rows, Row{i, i - 1, i - 2, i - 3})
	}
	q := make([]float64, m.Dim())
	for k := range q {
		switch {
		case k < m.Bonds():
			q[k] = 0.15 * (1 + 0.05*rng.NormFloat64())
		case k < m.Bonds()+m.Angles():
			q[k] = 1.9 + 0.1*rng.NormFloat64()
		default:
			q[k] = math.Pi * (2*rng.Float64() - 1)
		}
	}
	m.Place(q, r)
	return r
}

func walks(n, beads int, seed uint64) (frames []float32) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		for _, v := range walk(rng, beads) {
			frames = append(frames, float32(v))
		}
	}
	return frames
}

// Coordinates of a frame, placed again, are those of the frame, and so are all distances; a mirror changes torsions'
// signs alone.
func TestPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, beads := range []int{3, 4, 7, 12} {
		m, err := New(walks(50, beads, 1), beads)
		if err != nil {
			t.Fatal(err)
		}
		r, again := walk(rng, beads), make([]float64, 3*beads)
		q, back, mirrored := make([]float64, m.Dim()), make([]float64, m.Dim()), make([]float64, m.Dim())
		m.Internal(r, q)
		m.Place(q, again)
		m.Internal(again, back)
		for k := range q {
			if math.Abs(q[k]-back[k]) > 1e-9 {
				t.Errorf("%d beads, coordinate %d: %.12g again, want %.12g", beads, k, back[k], q[k])
			}
		}
		for i := range beads {
			for j := range i {
				a, b := bead(r, i).sub(bead(r, j)).norm(), bead(again, i).sub(bead(again, j)).norm()
				if math.Abs(a-b) > 1e-9 {
					t.Errorf("%d beads: %d–%d is %.12g, want %.12g", beads, i, j, b, a)
				}
			}
		}
		for i := 0; i < len(r); i += 3 {
			r[i] = -r[i]
		}
		m.Internal(r, mirrored)
		for k := range q {
			want := q[k]
			if k >= m.Bonds()+m.Angles() {
				want = -want
			}
			if math.Abs(mirrored[k]-want) > 1e-9 {
				t.Errorf("%d beads, coordinate %d in the mirror: %g, want %g", beads, k, mirrored[k], want)
			}
		}
	}
}

// The volume is that of the coordinates in all of space: the determinant of the distances' derivatives, by way of the
// Gram matrix of internal motions without the rigid ones.
func TestLogVolume(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, beads := range []int{3, 4, 6} {
		m, err := New(walks(50, beads, 1), beads)
		if err != nil {
			t.Fatal(err)
		}
		dim := 3 * beads
		r := walk(rng, beads)
		q := make([]float64, m.Dim())
		m.Internal(r, q)
		jacobian := mat.NewDense(dim, dim, nil)
		const h = 1e-6
		column := func(k int, low, high []float64) {
			for c := range dim {
				jacobian.Set(c, k, (high[c]-low[c])/(2*h))
			}
		}
		for k := range m.Dim() {
			low, high := make([]float64, dim), make([]float64, dim)
			v := q[k]
			q[k] = v - h
			m.Place(q, low)
			q[k] = v + h
			m.Place(q, high)
			q[k] = v
			column(k, low, high)
		}
		placed := make([]float64, dim)
		m.Place(q, placed)
		for axis := range 3 { // shifts, and turns about the axes
			low, high := make([]float64, dim), make([]float64, dim)
			for i := range beads {
				high[3*i+axis], low[3*i+axis] = h, -h
			}
			column(m.Dim()+axis, low, high)
			turn := make([]float64, dim)
			for i := range beads {
				a, b := (axis+1)%3, (axis+2)%3
				turn[3*i+a], turn[3*i+b] = -h*placed[3*i+b], h*placed[3*i+a]
			}
			for c := range turn {
				low[c], high[c] = -turn[c], turn[c]
			}
			column(m.Dim()+3+axis, low, high)
		}
		want, _ := mat.LogDet(jacobian)
		if got := m.LogVolume(q); math.Abs(got-want) > 1e-6 {
			t.Errorf("%d beads: ln volume = %.9f, by differences %.9f", beads, got, want)
		}
	}
}

// Trees of shapes that maps have: what hangs on one bead is placed against its first, rings are open, references
// are never on a line.
func TestNew(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	shake := func(at [][3]float64, n int) (frames []float32) {
		for range n {
			for _, p := range at {
				for _, v := range p {
					frames = append(frames, float32(v+0.005*rng.NormFloat64()))
				}
			}
		}
		return frames
	}
	ring := func(n int) (at [][3]float64) {
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			at = append(at, [3]float64{0.2 * cos, 0.2 * sin, 0})
		}
		return at
	}
	for name, at := range map[string][][3]float64{
		"ring":          ring(6),
		"star":          {{0, 0, 0}, {0.1, 0.1, 0.1}, {-0.1, -0.1, 0.1}, {-0.1, 0.1, -0.1}, {0.1, -0.1, -0.1}},
		"two molecules": append(ring(4), [3]float64{2, 0, 0}, [3]float64{2.1, 0.1, 0}, [3]float64{2, 0.2, 0.1}),
		"line with an end": {{0, 0, 0}, {0.1, 0, 0}, {0.2, 0, 0}, {0.3, 0, 0}, {0.35, 0.1, 0}, {0.45, 0.1, 0.05},
			{0.4, 0.2, 0.1}},
	} {
		m, err := New(shake(at, 100), len(at))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "star" {
			for _, row := range m.Rows {
				if row.J != 0 {
					t.Errorf("star: %v is not on the middle", row)
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var line []float32
	for range 50 {
		for i := range 4 {
			line = append(line, float32(i)*0.2+0.001*float32(rng.NormFloat64()), 0.001*float32(rng.NormFloat64()),
				0.001*float32(rng.NormFloat64()))
		}
	}
	for name, c := range map[string]struct {
		frames []float32
		beads  int
		want   string
	}{
		"two beads":  {make([]float32, 12), 2, "at least three"},
		"no frames":  {nil, 4, "no frames"},
		"half a one": {make([]float32, 10), 4, "no frames"},
		"a line":     {line, 4, "on a line"},
	} {
		if _, err := New(c.frames, c.beads); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Butane's four beads: three bonds, two angles, one torsion.
func Example() {
	frames := walks(100, 4, 1)
	m, err := New(frames, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	beads := []string{"C1", "C2", "C3", "C4"}
	for n := range m.Dim() {
		fmt.Println(m.Name(n, beads))
	}
	// Output:
	// C2–C3
	// C3–C4
	// C1–C2
	// C2–C3–C4
	// C1–C2–C3
	// C1–C2–C3–C4
}
