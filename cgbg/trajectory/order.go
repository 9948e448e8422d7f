package trajectory

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data/gromacs"
)

// Limits of what tells another order of atoms: a bond of the structure that is longTimes as long in a frame, one of
// whose atoms is nearer than newBond, nm, and than shortPart of the structure's distance, to an atom that it is not
// bonded to. Bonds but those of sulphur and heavier atoms are shorter than newBond, other neighbours and hydrogen bonds
// longer; a clash in the structure that looks like a bond and goes makes no new one.
const (
	longTimes = 1.3
	shortPart = 0.75
	newBond   = 0.158
)

// checkOrder looks whether bonds in a frame are between the atoms that the structure says. Programs order the atoms of
// a residue each in their way: ACE begins with a hydrogen in AMBER and with the carbon in GROMACS.
func (im *importer) checkOrder(f *gromacs.Frame) error {
	box, other, inStructure := cgmap.NewImages(&f.Box), cgmap.NewImages(&f.OtherBox), cgmap.NewImages(&im.reference.Box)
	here := func(i, j int) float64 { return min(box.Distance(f.R, i, j), other.Distance(f.R, i, j)) }
	there := func(i, j int) float64 { return inStructure.Distance(im.reference.R, i, j) }
	bonded := map[[2]int]bool{}
	var long [][2]int
	for _, b := range im.molecule.Bonds() {
		bonded[b], bonded[[2]int{b[1], b[0]}] = true, true
		if d := here(b[0], b[1]); d > longTimes*there(b[0], b[1]) && len(long) < someBeads {
			long = append(long, b)
		}
	}
	for _, b := range long {
		for _, i := range b {
			for j := range im.atoms {
				if j == i || bonded[[2]int{i, j}] {
					continue
				}
				if d := here(i, j); d < newBond && d < shortPart*there(i, j) {
					return fmt.Errorf("atoms %d and %d are bonded in the structure %s (%.3f nm) and %.3f nm apart "+
						"here, atoms %d and %d are not and %.3f nm apart here: the trajectory seems to have its "+
						"atoms in another order; give a structure that the same program wrote",
						b[0]+1, b[1]+1, im.Structure, there(b[0], b[1]), here(b[0], b[1]), i+1, j+1, d)
				}
			}
		}
	}
	return nil
}
