package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// writeDCD writes frames, nm, each with the same record of a unit cell, Å; nil for none.
func writeDCD(t *testing.T, frames [][]float32, cell []float64, version int32) string {
	t.Helper()
	var b bytes.Buffer
	put := func(values ...any) {
		size := int32(0)
		for _, v := range values {
			size += int32(binary.Size(v))
		}
		for _, v := range append(append([]any{size}, values...), size) {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	// 1 ps
	control := [20]int32{int32(len(frames)), 0, 1, int32(len(frames)), 9: int32(math.Float32bits(20.45482)),
		19: version}
	if cell != nil {
		control[10] = 1
	}
	put([]byte("CORD"), control)
	put(int32(1), make([]byte, 80))
	put(int32(len(frames[0]) / 3))
	for _, r := range frames {
		if cell != nil {
			put(cell)
		}
		for k := range 3 {
			var x []float32
			for i := k; i < len(r); i += 3 {
				x = append(x, 10*r[i])
			}
			put(x)
		}
	}
	path := filepath.Join(t.TempDir(), "run.dcd")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeGRO writes a structure with four decimals, and a box.
func writeGRO(t *testing.T, s *gromacs.Structure) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "test\n%d\n", len(s.Atoms))
	for i, a := range s.Atoms {
		fmt.Fprintf(&b, "%5d%-5s%5s%5d%9.4f%9.4f%9.4f\n", a.ResidueNumber, a.Residue, a.Name, i+1, s.R[3*i], s.R[3*i+1],
			s.R[3*i+2])
	}
	for _, k := range []int{0, 4, 8, 1, 2, 3, 5, 6, 7} {
		fmt.Fprintf(&b, "%10.5f", s.Box[k])
	}
	path := filepath.Join(t.TempDir(), "structure.gro")
	if err := os.WriteFile(path, []byte(b.String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tear moves every atom by box vectors of its own.
func tear(rng *rand.Rand, r []float32, box [9]float64) []float32 {
	out := slices.Clone(r)
	for i := 0; i < len(r); i += 3 {
		for row := range 3 {
			n := float64(rng.IntN(5) - 2)
			for k := range 3 {
				out[i+k] += float32(n * box[3*row+k])
			}
		}
	}
	return out
}

// Torn frames, of atoms or of beads, and torn structures without a box come out as whole ones, in boxes of any shape
// and in each way that DCD files describe them.
func TestImportTorn(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	const a, b = 2.2131760, -0.4426352
	third := 1. / 3
	rng := rand.New(rand.NewPCG(11, 12))
	for name, c := range map[string]struct {
		box     [9]float64
		cell    []float64
		version int32
	}{
		"cube, degrees": {[9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}, []float64{23, 90, 23, 90, 90, 23}, 24},
		"cube, cosines": {[9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}, []float64{23, 0, 23, 0, 0, 23}, 24},
		"octahedron, degrees": {[9]float64{2.3, 0, 0, -2.3 * third, 2.16846, 0, -2.3 * third, -1.08423, 1.877942},
			[]float64{23, 109.4712206, 23, 109.4712206, 109.4712206, 23}, 24},
		"octahedron, cosines": {[9]float64{2.3, 0, 0, -2.3 * third, 2.16846, 0, -2.3 * third, -1.08423, 1.877942},
			[]float64{23, -third, 23, -third, -third, 23}, 24},
		"octahedron of CHARMM": {[9]float64{a, b, b, b, a, b, b, b, a},
			[]float64{10 * a, 10 * b, 10 * a, 10 * b, 10 * b, 10 * a}, 36},
		"dodecahedron of CHARMM": {[9]float64{2.2124615, -0.0875385, 0.6223755, -0.0875385, 2.2124615, 0.6223755,
			0.6223755, 0.6223755, 2.1249229},
			[]float64{22.124615, -0.875385, 22.124615, 6.223755, 6.223755, 21.249229}, 36},
	} {
		t.Run(name, func(t *testing.T) {
			torn := *s
			torn.R, torn.Box = tear(rng, s.R, c.box), [9]float64{}
			structures := map[string]string{"whole": gro, "torn": writeGRO(t, &torn)}
			for _, mapping := range []string{"heavy-atom", "core-beta"} {
				load := func(structure, path string) (*data.Frames, data.Meta) {
					t.Helper()
					out := filepath.Join(t.TempDir(), "out.arrow")
					if _, err := call(t, "import", "-temperature", "300", "-map", mapping, "-structure", structure,
						"-o", out, path); err != nil {
						t.Fatal(err)
					}
					f, meta, err := data.ReadFile(out)
					if err != nil {
						t.Fatal(err)
					}
					return f, meta
				}
				want, _ := load(gro, writeDCD(t, [][]float32{s.R, s.R}, nil, 24))
				beads := want.R[:want.Width()]
				for what, r := range map[string][]float32{"atoms": s.R, "beads": beads} {
					path := writeDCD(t, [][]float32{tear(rng, r, c.box), tear(rng, r, c.box), r}, c.cell, c.version)
					for which, structure := range structures {
						got, _ := load(structure, path)
						for i, v := range got.R {
							first := i / want.Width() * want.Width()
							if d := v - got.R[first+i%3] - (beads[i-first] - beads[i%3]); math.Abs(float64(d)) > 1e-5 {
								t.Fatalf("%s, frames of %s, %s structure: frame %d, number %d is off by %g nm", mapping,
									what, which, i/want.Width(), i-first, d)
							}
						}
						if whole := got.R[2*want.Width():]; !slices.Equal(whole, beads) {
							t.Errorf("%s, frames of %s, %s structure: the whole frame has changed", mapping, what,
								which)
						}
					}
				}
			}
		})
	}
}

// What cannot be put together is refused with the reason.
func TestImportTornErrors(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	box := [9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}
	torn := *s
	torn.R, torn.Box = tear(rand.New(rand.NewPCG(1, 2)), s.R, box), [9]float64{}
	cell := []float64{23, 90, 23, 90, 90, 23}
	boxed := *s
	boxed.Box = [9]float64{0.4, 0, 0, 0, 0.4, 0, 0, 0, 0.4}
	both := torn
	both.Box = box
	swapped := slices.Clone(s.R)
	copy(swapped[:3], s.R[3*20:3*21])
	copy(swapped[3*20:3*21], s.R[:3])
	for name, c := range map[string]struct {
		structure string
		frame     []float32
		cell      []float64
		want      string
	}{
		"torn frames":                {gro, torn.R, nil, "there is no box to put a torn molecule together"},
		"torn structure, no box":     {writeGRO(t, &torn), s.R, nil, ""}, // the frame shows the bonds
		"torn structure, torn frame": {writeGRO(t, &torn), torn.R, nil, "is it torn by a boundary and has no box"},
		"torn structure in its box": {writeGRO(t, &both), torn.R, nil,
			"the structure has a box, the trajectory has none"},
		"structure in no real box": {writeGRO(t, &boxed), s.R, cell, ""},
		"another order":            {gro, swapped, cell, "in another order"},
		"another order, no box":    {gro, swapped, nil, "in another order"},
	} {
		_, err := call(t, "import", "-temperature", "300", "-map", "heavy-atom", "-structure", c.structure, "-o",
			filepath.Join(t.TempDir(), "x.arrow"), writeDCD(t, [][]float32{c.frame, c.frame}, c.cell, 24))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Any heavy atom in another's or a hydrogen's place, near by too, is seen: programs order the atoms of residues each in
// their way. A bond that is short in the structure is none of these.
func TestImportOrder(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	load := func(structure *gromacs.Structure) error {
		_, err := call(t, "import", "-temperature", "300", "-map", "heavy-atom", "-structure", writeGRO(t, structure),
			"-o", filepath.Join(t.TempDir(), "x.arrow"), trr)
		return err
	}
	for _, pair := range [][2]int{{0, 1}, {0, 4}, {4, 5}, {6, 7}, {6, 8}, {6, 10}, {8, 9}, {8, 10}, {8, 14}, {10, 12},
		{14, 16}, {15, 17}, {18, 19}} {
		other := *s
		other.Atoms, other.R = slices.Clone(s.Atoms), slices.Clone(s.R)
		i, j := pair[0], pair[1]
		other.Atoms[i], other.Atoms[j] = s.Atoms[j], s.Atoms[i]
		copy(other.R[3*i:], s.R[3*j:3*j+3])
		copy(other.R[3*j:], s.R[3*i:3*i+3])
		if err := load(&other); err == nil || !strings.Contains(err.Error(), "order") {
			t.Errorf("%d and %d: got %v", i, j, err)
		}
	}
	short := *s
	short.R = slices.Clone(s.R)
	for k := range 3 {
		short.R[3*13+k] = 0.3*s.R[3*10+k] + 0.7*s.R[3*13+k]
	}
	if err := load(&short); err != nil {
		t.Errorf("a bond that is short in the structure: %v", err)
	}
}

// A water that a bead is made of is put together, and comes to the image beside the peptide.
func TestImportWaterBead(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	s.Box = [9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}
	near := s.R[3*8 : 3*9] // ALA2:CA
	oxygen := []float32{near[0] + 0.9, near[1], near[2]}
	var water []float32
	for i, d := range [][3]float32{{0, 0, 0}, {-0.024, 0.0927, 0}, {0.0957, 0, 0}} {
		s.Atoms = append(s.Atoms, gromacs.Atom{Name: []string{"OW", "HW1", "HW2"}[i], Residue: "SOL", ResidueNumber: 4})
		for k := range 3 {
			water = append(water, oxygen[k]+d[k])
		}
	}
	whole := slices.Concat(s.R, water)
	s.R = whole
	mapping := filepath.Join(t.TempDir(), "water.map")
	if err := os.WriteFile(mapping, []byte("ALA2:CA C ALA2:CA\nW 6 com @23 @24 @25\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	torn := [][]float32{tear(rng, whole, s.Box), tear(rng, whole, s.Box), whole}
	out := filepath.Join(t.TempDir(), "out.arrow")
	if _, err := call(t, "import", "-temperature", "300", "-map", mapping, "-structure", writeGRO(t, s), "-o", out,
		writeDCD(t, torn, []float64{23, 90, 23, 90, 90, 23}, 24)); err != nil {
		t.Fatal(err)
	}
	f, _, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var com [3]float32
	for k := range com {
		com[k] = (15.999*water[k] + 1.008*(water[3+k]+water[6+k])) / (15.999 + 2*1.008)
	}
	for n := range f.Len() {
		r := f.R[6*n : 6*n+6]
		for k := range 3 {
			if got, want := r[3+k]-r[k], com[k]-near[k]; math.Abs(float64(got-want)) > 1e-5 {
				t.Errorf("frame %d, coordinate %d: got %g from the peptide, want %g", n, k, got, want)
			}
		}
	}
}

// Few frames fit few forces, and that is said.
func TestImportLeastNoiseOfFewFrames(t *testing.T) {
	text, err := call(t, "import", "-temperature", "300", "-forces", "least-noise", "-structure", gro, "-o",
		filepath.Join(t.TempDir(), "out.arrow"), trr)
	if err != nil || !strings.Contains(text, "8 frames are too few to fit forces on all atoms around a bead: 6 of 6 "+
		"beads") {
		t.Errorf("got %q, %v", text, err)
	}
}

// Molecules half the box apart are counted in frames, of atoms or of beads, not in the structure.
func TestImportFarMolecules(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	two := *s
	two.Atoms, two.R = slices.Concat(s.Atoms, s.Atoms), slices.Concat(s.R, s.R)
	for i := len(s.R); i < len(two.R); i += 3 {
		two.R[i] += float32(s.Box[0] / 2)
	}
	structure, dir := writeGRO(t, &two), t.TempDir()
	cell := []float64{10 * s.Box[0], 90, 10 * s.Box[4], 90, 90, 10 * s.Box[8]}
	all, err := cgmap.New(cgmap.HeavyAtom, &two)
	if err != nil {
		t.Fatal(err)
	}
	beads, err := all.Apply(nil, two.R)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string][]float32{"atoms": two.R, "beads": beads} {
		text, err := call(t, "import", "-map", "heavy-atom", "-structure", structure, "-o",
			filepath.Join(dir, "x.arrow"), writeDCD(t, [][]float32{r, r, r}, cell, 24))
		if err != nil || !strings.Contains(text, "in 3 frames molecules lie about half the box apart") {
			t.Errorf("%s: got %q, %v", what, text, err)
		}
	}
}
