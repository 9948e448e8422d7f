package dcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// lengthsAndAngles is what all readings must give: lengths, nm, and angles, degrees.
func lengthsAndAngles(box [9]float64) (v [6]float64) {
	dot := func(i, j int) (sum float64) {
		for k := range 3 {
			sum += box[3*i+k] * box[3*j+k]
		}
		return sum
	}
	for k := range 3 {
		v[k] = math.Sqrt(dot(k, k))
	}
	for k, pair := range [3][2]int{{1, 2}, {0, 2}, {0, 1}} {
		i, j := pair[0], pair[1]
		v[3+k] = math.Acos(dot(i, j)/(v[i]*v[j])) * 180 / math.Pi
	}
	return v
}

// symmetric is CHARMM's matrix of a cell: the square root of the products of its vectors, as a record; by Newton's
// iteration for the polar factor (Higham, SIAM J. Sci. Stat. Comput. 7 (1986) 1160).
func symmetric(box [9]float64) [6]float64 {
	x := box
	for range 60 {
		x = average(x, inverseTransposed(x))
	}
	var h [9]float64 // box = h·x with x a rotation
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				h[3*i+j] += box[3*i+k] * x[3*j+k]
			}
		}
	}
	return [6]float64{10 * h[0], 10 * h[3], 10 * h[4], 10 * h[6], 10 * h[7], 10 * h[8]}
}

func average(a, b [9]float64) (out [9]float64) {
	for i := range out {
		out[i] = (a[i] + b[i]) / 2
	}
	return out
}

func inverseTransposed(m [9]float64) (out [9]float64) {
	det := 0.0
	for i := range 3 {
		for j := range 3 {
			a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
			out[3*i+j] = m[3*a+c]*m[3*b+d] - m[3*a+d]*m[3*b+c]
		}
		det += m[i] * out[i]
	}
	for i := range out {
		out[i] /= det
	}
	return out
}

// Each shape of a cell is read in each way that programs write it.
func TestUnitCells(t *testing.T) {
	acute := math.Acos(1./3) * 180 / math.Pi
	for name, want := range map[string][6]float64{
		"cube":                  {4, 4, 4, 90, 90, 90},
		"brick":                 {3, 4, 15, 90, 90, 90},
		"octahedron":            {4, 4, 4, 180 - acute, 180 - acute, 180 - acute},
		"octahedron of GROMACS": {4, 4, 4, acute, 180 - acute, acute},
		"small octahedron":      {2.3, 2.3, 2.3, 180 - acute, 180 - acute, 180 - acute},
		"large octahedron":      {25, 25, 25, 180 - acute, 180 - acute, 180 - acute},
		"dodecahedron":          {5, 5, 5, 60, 90, 60},
		"dodecahedron, GROMACS": {5, 5, 5, 60, 60, 90},
		"large dodecahedron":    {20, 20, 20, 60, 90, 60},
		"hexagonal":             {4, 4, 9, 90, 90, 120},
		"hexagonal, acute":      {4, 4, 9, 90, 90, 60},
		"rhombohedral":          {6, 6, 6, 60, 60, 60},
		"monoclinic":            {4, 5, 6, 90, 104, 90},
		"triclinic":             {4, 5, 6, 95, 104, 82},
	} {
		var cosine [3]float64
		for k := range cosine {
			if cosine[k] = math.Cos(want[3+k] * math.Pi / 180); want[3+k] == 90 {
				cosine[k] = 0
			}
		}
		box, err := gromacs.Cell(want[0], want[1], want[2], cosine[0], cosine[1], cosine[2])
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := 10*want[0], 10*want[1], 10*want[2]
		matrix := symmetric(box)
		for k := range matrix { // as other programs' rounding leaves it
			if math.Abs(matrix[k]) < 1e-9 {
				matrix[k] = 0
			}
		}
		for _, w := range []struct {
			kind    string
			record  [6]float64
			version int32
		}{
			{"degrees", [6]float64{a, want[5], b, want[4], want[3], c}, 24},
			{"degrees", [6]float64{a, want[5], b, want[4], want[3], c}, 21},
			{"cosines", [6]float64{a, cosine[2], b, cosine[1], cosine[0], c}, 24},
			{"cosines", [6]float64{a, cosine[2], b, cosine[1], cosine[0], c}, 35},
			{"matrix", matrix, 36},
			{"matrix", matrix, 50},
		} {
			readings := cells(w.record, w.version)
			if len(readings) == 0 {
				t.Errorf("%s, %s, version %d: %v was not read", name, w.kind, w.version, w.record)
				continue
			}
			got := lengthsAndAngles(readings[0])
			for k := range got {
				if math.Abs(got[k]-want[k]) > 1e-5 {
					t.Errorf("%s, %s, version %d: %v: got %v, want %v", name, w.kind, w.version, w.record, got, want)
					break
				}
			}
		}
	}
}

// A record that two programs can have meant gives both boxes; one that none can have meant, an error.
func TestOddUnitCells(t *testing.T) {
	record := func(v [6]float64) []byte {
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name    string
		record  [6]float64
		version int32
		box     [9]float64
		other   [9]float64
		err     bool
	}{
		{name: "none"},
		{name: "none, right angles", record: [6]float64{0, 90, 0, 90, 90, 0}},
		{name: "slab", record: [6]float64{30, 0, 40, 0, 0, 0}, box: [9]float64{3, 0, 0, 0, 4, 0, 0, 0, 0}},
		{name: "slab in degrees", record: [6]float64{30, 90, 40, 90, 90, 0},
			box: [9]float64{3, 0, 0, 0, 4, 0, 0, 0, 0}},
		{name: "noise", record: [6]float64{30, 1e-9, 40, -1e-9, 1e-9, 50}, version: 36,
			box: [9]float64{3, 0, 0, 4e-9, 4, 0, -5e-9, 5e-9, 5}},
		{name: "cosine or Å", record: [6]float64{30, 0.5, 40, 0, 0, 50}, version: 36,
			box: [9]float64{3, 0, 0, 2, math.Sqrt(12), 0, 0, 0, 5}, other: [9]float64{3, 0.05, 0, 0.05, 4, 0, 0, 0, 5}},
		{name: "cosine", record: [6]float64{30, 0.5, 40, 0, 0, 50}, version: 24,
			box: [9]float64{3, 0, 0, 2, math.Sqrt(12), 0, 0, 0, 5}},
		{name: "negative", record: [6]float64{-30, 0, 40, 0, 0, 50}, err: true},
		{name: "no number", record: [6]float64{30, 0, math.NaN(), 0, 0, 50}, err: true},
		{name: "infinite", record: [6]float64{30, math.Inf(1), 40, 0, 0, 50}, err: true},
		{name: "no cell", record: [6]float64{30, -60, 40, 30, 200, 50}, err: true},
	} {
		r := &Reader{order: binary.LittleEndian, version: c.version}
		box, other, err := r.unitCell(record(c.record))
		if (err != nil) != c.err || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got error %v", c.name, err)
		}
		for i := range box {
			if math.Abs(box[i]-c.box[i]) > 1e-12 && !c.err || math.Abs(other[i]-c.other[i]) > 1e-12 {
				t.Errorf("%s: got %v and %v, want %v and %v", c.name, box, other, c.box, c.other)
				break
			}
		}
	}
}
