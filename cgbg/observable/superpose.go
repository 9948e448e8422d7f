package observable

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"gonum.org/v1/gonum/mat"
)

// leastSuperposed is the number of beads that fix how a molecule stands.
const leastSuperposed = 3

// rmsd is the root mean square distance of the points of two sets after the best superposition, a shift and a
// rotation but no reflection. a, b: [n, 3]; it panics if their lengths differ. NaN of no points.
// Source: Horn, J. Opt. Soc. Am. A 4 (1987) 629, the largest eigenvalue of his matrix N.
func rmsd(a, b []float64) float64 {
	if len(a) != len(b) || len(a)%3 != 0 {
		panic(fmt.Sprintf("observable: superposing %d numbers on %d; want three of every point", len(a), len(b)))
	}
	n := float64(len(a) / 3)
	var centreA, centreB [3]float64
	for i := range a {
		centreA[i%3] += a[i] / n
		centreB[i%3] += b[i] / n
	}
	var s [3][3]float64 // Σ a bᵀ about the centres
	size := 0.0         // Σ |a|² + |b|²
	for i := 0; i < len(a); i += 3 {
		for k := range 3 {
			x := a[i+k] - centreA[k]
			for l := range 3 {
				s[k][l] += x * (b[i+l] - centreB[l])
			}
			y := b[i+k] - centreB[k]
			size += x*x + y*y
		}
	}
	N := mat.NewSymDense(4, []float64{
		s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0],
		0, s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2],
		0, 0, s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1],
		0, 0, 0, s[2][2] - s[0][0] - s[1][1],
	})
	var e mat.EigenSym
	if !e.Factorize(N, false) {
		return math.NaN() // numbers that are not finite
	}
	largest := e.Values(nil)[3]
	return math.Sqrt(max(size-2*largest, 0) / n)
}

// deviation is the RMSD from the first frame of a file, over the beads of the same names.
func deviation(v *Variable, args []string) error {
	v.File = args[0]
	return spatial(v, func(v *Variable, in system) (measure, error) {
		names, r, err := readFrame(v.File)
		if err != nil {
			return nil, err
		}
		beads, of := sameNames(in.beads, names)
		if len(beads) < leastSuperposed {
			return nil, fmt.Errorf("%s has %d beads of the frames, want %d or more: it has %s, the frames %s; give an .arrow "+
				"of frames of the same map, or a structure whose atoms have the names of these beads",
				v.File, len(beads), leastSuperposed, some(names), some(in.beads))
		}
		a, b := make([]float64, 3*len(beads)), make([]float64, 3*len(beads))
		for k := range beads {
			copy(b[3*k:], r[3*of[k]:3*of[k]+3])
		}
		return func(frame []float64) float64 {
			for k, bead := range beads {
				copy(a[3*k:], frame[3*bead:3*bead+3])
			}
			return rmsd(a, b)
		}, nil
	})
}

// readFrame reads names and positions, nm, of the first frame of a file: frames, or a structure.
func readFrame(path string) (names []string, r []float64, err error) {
	widened := func(x []float32) {
		for _, v := range x {
			r = append(r, float64(v))
		}
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gro", ".pdb":
		s, err := gromacs.ReadStructure(path)
		if err != nil {
			return nil, nil, err
		}
		if m, err := cgmap.New(cgmap.AllAtom, s); err == nil { // the names that import gives
			x, err := m.Apply(nil, s.R)
			widened(x)
			return m.Beads, r, err
		}
		for _, a := range s.Atoms { // beads of a coarse structure
			n := cgmap.Name{Residue: a.Residue, Number: a.ResidueNumber, Insertion: a.Insertion, Atom: a.Name}
			names = append(names, n.String())
		}
		widened(s.R)
		return names, r, nil
	}
	in, err := data.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	f, err := in.Next()
	if err != nil {
		return nil, nil, err
	}
	if f.Dim != 3 {
		return nil, nil, fmt.Errorf("%s: frames of %d numbers a bead have no positions in space", path, f.Dim)
	}
	widened(f.R[:f.Width()])
	return in.Meta().Beads, r, nil
}

// sameNames pairs the beads of two lists by name, copies in their order; where one has chains and the other none,
// without.
func sameNames(a, b []string) (inA, inB []int) {
	for _, key := range []func(string) string{func(s string) string { return s }, withoutChain} {
		places := map[string][]int{}
		for i, name := range b {
			places[key(name)] = append(places[key(name)], i)
		}
		inA, inB = nil, nil
		for i, name := range a {
			if p := places[key(name)]; len(p) > 0 {
				inA, inB = append(inA, i), append(inB, p[0])
				places[key(name)] = p[1:]
			}
		}
		if len(inA) > 0 {
			break
		}
	}
	return inA, inB
}

func withoutChain(bead string) string {
	n, ok := cgmap.ParseName(bead)
	if !ok {
		return bead
	}
	n.Chain = ""
	return n.String()
}
