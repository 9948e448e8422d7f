package observable

import (
	"fmt"
	"math"
	"strings"
)

// kind is how a variable is made of the arguments of its text.
type kind struct {
	form          string // with its arguments, as it is written
	args          int
	angle, circle bool // in rad; goes round
	define        func(v *Variable, args []string) error
}

// apart is how many places in the list of beads lie between those that can be in contact: bonds, angles and torsions
// of a chain are nearer.
const apart = 3

// kinds are all of them, by their words.
var kinds = map[string]kind{
	"phi":        {"phi(RESIDUE)", 1, true, true, backbone(0)},
	"psi":        {"psi(RESIDUE)", 1, true, true, backbone(1)},
	"dihedral":   {"dihedral(A,B,C,D)", 4, true, true, ofBeads(torsionOf)},
	"angle":      {"angle(A,B,C)", 3, true, false, ofBeads(angleOf)},
	"distance":   {"distance(A,B)", 2, false, false, ofBeads(distanceOf)},
	"end-to-end": {"end-to-end", 0, false, false, endToEnd},
	"rg":         {"rg", 0, false, false, gyration},
	"rmsd":       {"rmsd(FILE)", 1, false, false, deviation},
	"contacts":   {"contacts(R0)", 1, false, false, contacts},
}

// spatial is a measure of frames in three dimensions.
func spatial(v *Variable, make func(v *Variable, in system) (measure, error)) error {
	v.bind = func(v *Variable, in system) (measure, error) {
		if in.dim != 3 {
			return nil, fmt.Errorf("frames of %d numbers a bead have no positions in space; "+
				"want a function of Go, a column, or (of map dihedrals) phi and psi", in.dim)
		}
		return make(v, in)
	}
	return nil
}

// ofBeads is a function of some named beads.
func ofBeads(of func(p [][3]float64) float64) func(*Variable, []string) error {
	return func(v *Variable, names []string) error {
		for i, name := range names {
			for _, other := range names[:i] {
				if name == other {
					return fmt.Errorf("%s is there twice", name)
				}
			}
		}
		return spatial(v, func(_ *Variable, in system) (measure, error) {
			beads, err := in.find(names)
			if err != nil {
				return nil, err
			}
			return overBeads(beads, of), nil
		})
	}
}

func overBeads(beads []int, of func(p [][3]float64) float64) measure {
	p := make([][3]float64, len(beads))
	return func(frame []float64) float64 {
		for k, b := range beads {
			p[k] = [3]float64(frame[3*b : 3*b+3])
		}
		return of(p)
	}
}

func torsionOf(p [][3]float64) float64  { return Dihedral(p[0], p[1], p[2], p[3]) }
func distanceOf(p [][3]float64) float64 { return norm(sub(p[1], p[0])) }

func angleOf(p [][3]float64) float64 {
	a, b := sub(p[0], p[1]), sub(p[2], p[1])
	return math.Atan2(norm(cross(a, b)), dot(a, b)) // acos loses digits near 0 and π
}

func endToEnd(v *Variable, _ []string) error {
	return spatial(v, func(_ *Variable, in system) (measure, error) {
		if in.count < 2 {
			return nil, fmt.Errorf("frames of one bead have no ends")
		}
		return overBeads([]int{0, in.count - 1}, distanceOf), nil
	})
}

// gyration is the root mean square distance from the beads' centre.
func gyration(v *Variable, _ []string) error {
	return spatial(v, func(*Variable, system) (measure, error) {
		return func(frame []float64) float64 {
			n := float64(len(frame) / 3)
			var centre [3]float64
			for i, x := range frame {
				centre[i%3] += x / n
			}
			square := 0.0
			for i, x := range frame {
				square += (x - centre[i%3]) * (x - centre[i%3]) / n
			}
			return math.Sqrt(square)
		}, nil
	})
}

func contacts(v *Variable, args []string) error {
	r0, ok := number(args[0])
	if !ok || r0 <= 0 {
		return fmt.Errorf("contacts nearer than %q; want a distance above zero, nm", args[0])
	}
	v.Unit = ""
	return spatial(v, func(*Variable, system) (measure, error) {
		return func(frame []float64) float64 {
			count := 0.0
			for i := 0; i < len(frame); i += 3 {
				for j := i + 3*apart; j < len(frame); j += 3 {
					if norm(sub([3]float64(frame[i:i+3]), [3]float64(frame[j:j+3]))) < r0 {
						count++
					}
				}
			}
			return count
		}, nil
	})
}

// backbone is φ (k = 0) or ψ (1) of a residue.
func backbone(k int) func(*Variable, []string) error {
	return func(v *Variable, args []string) error {
		of := args[0]
		v.Label = [2]string{"φ, ", "ψ, "}[k] + of
		if strings.Trim(of, "0123456789") == "" {
			v.Label = [2]string{"φ", "ψ"}[k] + ", residue " + of
		}
		v.bind = func(_ *Variable, in system) (measure, error) {
			residues, err := in.residues()
			if err != nil {
				return nil, err
			}
			i, err := residues.find(of)
			if err != nil {
				return nil, err
			}
			if residues.phi == nil { // the frames hold the angles
				return func(frame []float64) float64 { return frame[2*i+k] }, nil
			}
			quad := [2][][4]int{residues.phi, residues.psi}[k][i]
			return overBeads(quad[:], torsionOf), nil
		}
		return nil
	}
}
