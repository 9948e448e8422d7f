package trajectory

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

// neighbours are pairs that are close together in any conformation of a
// molecule, by which the unit of a frame's positions shows.
type neighbours struct {
	what   string // "bonded atoms" or "neighbouring beads"
	pairs  [][2]int
	length []float64          // in the structure, nm
	name   func(i int) string // of beads; nil for atoms, whose order checkOrder of the importer sees better
}

// Distances of neighbours leastTimes to mostTimes as long as in the structure, by their median, or as short, are in Å
// on one side and nm on the other. Other long ones are for package cgmap, which knows bonds and where molecules may be
// torn; shorter than a part of leastPart none can be.
const leastTimes, mostTimes, leastPart = 7, 14, 4

// A bond longBond times as long as in the structure, where most are as long as in it, is none: a vibration is a tenth
// of that, and two bonds span 1.6 times one. Beyond torn, nm, package cgmap tells. One is enough between singleBond's
// distances, nm; of others two are needed.
const longBond, torn = 1.35, 0.35

var singleBond = [2]float64{0.115, 0.17}

// bondedAtoms are the pairs of bonded atoms; where none are bonded, in structures of
// beads, say, each atom and the nearest one, in the structure and in the frame.
func (im *importer) bondedAtoms(f *gromacs.Frame) *neighbours {
	n := &neighbours{what: "bonded atoms", pairs: im.molecule.Bonds()}
	box := cgmap.NewImages(&im.reference.Box)
	n.measure(im.reference.R, box)
	if len(n.pairs) == 0 {
		n.what = "neighbours"
		here := cgmap.NewImages(&f.Box)
		n.pairs = nearestPairs(min(someBeads, im.atoms), func(i, j int) float64 { return here.Distance(f.R, i, j) })
		for _, p := range nearestPairs(min(someBeads, im.atoms), func(i,
			j int) float64 {
			return box.Distance(im.reference.R, i, j)
		}) {
			n.length = append(n.length, box.Distance(im.reference.R, p[0], p[1]))
		}
	}
	return n
}

// nearestPairs are places and the nearest others, of the first ones among so many; a distance of infinity joins none.
func nearestPairs(among int, distance func(i, j int) float64) (pairs [][2]int) {
	for i := range min(someBeads, among) {
		nearest, least := -1, math.Inf(1)
		for j := range among {
			if d := distance(i, j); j != i && d < least {
				nearest, least = j, d
			}
		}
		if nearest >= 0 {
			pairs = append(pairs, [2]int{i, nearest})
		}
	}
	return pairs
}

// someBeads is how many beads are looked at: the search for neighbours takes all pairs.
const someBeads = 500

// neighbouringBeads are each bead, or many of them, and the nearest one of its molecule.
func (im *importer) neighbouringBeads() (*neighbours, error) {
	whole, far := slices.Clone(im.reference.R), im.far()
	if _, err := im.molecule.Whole(whole, &im.reference.Box); err != nil {
		return nil, fmt.Errorf("%s: %w", im.Structure, err)
	}
	im.farBefore += im.far() - far // the structure is no frame
	r, err := im.cg.Apply(nil, whole)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", im.Structure, err)
	}
	molecule := make([]int, im.atoms) // of each atom: the number of its first atom
	for i := range molecule {
		molecule[i] = i
	}
	for _, b := range im.molecule.Bonds() { // parents first
		molecule[b[1]] = molecule[b[0]]
	}
	n := &neighbours{what: "neighbouring beads", name: func(i int) string { return im.cg.Beads[i] }}
	none := cgmap.NewImages(nil)
	n.pairs = nearestPairs(len(im.cg.Atoms), func(i, j int) float64 { // beads of a named map are atoms
		if molecule[im.cg.Atoms[j]] != molecule[im.cg.Atoms[i]] {
			return math.Inf(1)
		}
		return none.Distance(r, i, j)
	})
	n.measure(r, none)
	return n, nil
}

func (n *neighbours) measure(r []float32, box *cgmap.Images) {
	for _, p := range n.pairs {
		n.length = append(n.length, box.Distance(r, p[0], p[1]))
	}
}

// check compares the distances in a frame with those in the structure.
func (n *neighbours) check(f *gromacs.Frame, structure string) error {
	var ratios, lengths []float64
	box, other := cgmap.NewImages(&f.Box), cgmap.NewImages(&f.OtherBox)
	for k, p := range n.pairs {
		if n.length[k] > 0 {
			d := min(box.Distance(f.R, p[0], p[1]), other.Distance(f.R, p[0], p[1]))
			ratios, lengths = append(ratios, d/n.length[k]), append(lengths, d)
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(ratios))
	slices.Sort(lengths)
	ratio := sorted[len(sorted)/2]
	cure := ""
	switch {
	case ratio > leastTimes && ratio < mostTimes:
		cure = "the frame's seem to be in Å: divide them by 10 (and multiply forces by 10)"
	case ratio > 1.0/mostTimes && ratio < 1.0/leastTimes:
		cure = "the structure's seem to be in Å: divide them by 10"
	case ratio < 1.0/leastPart:
		cure = "are they in another unit, or of other atoms?"
	default:
		return n.checkOrder(ratios, sorted[len(sorted)/4], structure)
	}
	return fmt.Errorf("%s are %.3g nm apart in it, %.3g times as far as in the structure %s; positions are in nm: "+
		"%s", n.what, lengths[len(lengths)/2], ratio, structure, cure)
}

// checkOrder refuses frames in which single bonds of the structure are none; ratios: of
// those with a length; usual: that of bonds, a quarter of which may be expected to be some.
func (n *neighbours) checkOrder(ratios []float64, usual float64, structure string) error {
	if n.name == nil {
		return nil
	}
	var long, k, at int // at: in ratios
	for i, length := range n.length {
		if !(length > 0) {
			continue
		}
		if r := ratios[at] / usual; r > longBond && ratios[at]*length < torn {
			k = i
			long++
			if length > singleBond[0] && length < singleBond[1] {
				long++
			}
		}
		at++
	}
	if long < 2 {
		return nil
	}
	a, b := n.pairs[k][0], n.pairs[k][1]
	return fmt.Errorf("%s and %s, bonded in the structure %s, are not bonded in it: are structure and trajectory "+
		"of the same %s in the same order?",
		n.name(a), n.name(b), structure, strings.Fields(n.what)[1])
}

// checkFirst looks at the first frame of a trajectory that is kept: whether its
// positions are in nm, and its species, where the file has them, those of the map.
func (im *importer) checkFirst(f *gromacs.Frame, t trajectory) (err error) {
	beads, n := im.ofBeads(f), (*neighbours)(nil)
	switch {
	case beads:
		if n, err = im.neighbouringBeads(); err != nil {
			return err
		}
	case len(f.R) == 3*im.atoms:
		n = im.bondedAtoms(f)
	default:
		return nil // add says what is wrong
	}
	if err := n.check(f, im.Structure); err != nil {
		return err
	}
	if !beads {
		if err := im.checkOrder(f); err != nil {
			return err
		}
	}
	r, ok := t.(*npz.Reader)
	if !ok {
		return nil
	}
	if err := sameNames(r.Names(), im.cg.Beads); beads && err != nil {
		return err
	}
	if r.Species() == nil {
		return nil
	}
	want := im.cg.Species
	if !beads {
		all, err := cgmap.New(cgmap.AllAtom, im.reference)
		if err != nil || len(all.Beads) != im.atoms { // water has none
			return nil
		}
		want = all.Species
	}
	if !slices.Equal(r.Species(), want) && !slices.Equal(r.Species(), atomicNumbers(want)) {
		return fmt.Errorf("its species are %v, those of the map %v: are they other beads, or in another order? "+
			"Leave species out of the file where they mean something else", r.Species(), want)
	}
	return nil
}

// sameNames compares the names of the beads in a file with those of the map. Residues may be numbered otherwise, and
// chains be named.
func sameNames(have, want []string) error {
	if have == nil || slices.Equal(have, want) {
		return nil
	}
	order := slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)))
	for i := range have {
		_, a, _ := strings.Cut(have[i], ":")
		_, b, _ := strings.Cut(want[i], ":")
		if a != b || order && have[i] != want[i] {
			return fmt.Errorf("its bead %d is %s (array beads), that of the map %s: are they other beads, or in "+
				"another order?", i+1, have[i], want[i])
		}
	}
	return nil
}

// atomicNumbers are those of the elements that the codes of species stand for; others stay.
func atomicNumbers(species []int32) (z []int32) {
	number := map[int32]int32{1: 6, 2: 8, 3: 7, 4: 1, 5: 16}
	for _, s := range species {
		if n, ok := number[s]; ok {
			s = n
		}
		z = append(z, s)
	}
	return z
}

// checkColumns verifies that frames are not weighed twice.
func (im *importer) checkColumns(path string, t trajectory) error {
	r, ok := t.(*npz.Reader)
	if !ok || !r.Has(npz.KeyLogW) || len(im.sources) == 0 {
		return nil
	}
	return fmt.Errorf("%s: its frames have log-weights of their own (logw), and %s gives others: leave one of them "+
		"out", path, im.sources[0].path)
}

// columns lists what an NPZ file has for its frames beside positions and forces.
func columns(t trajectory) string {
	r, ok := t.(*npz.Reader)
	if !ok {
		return ""
	}
	var keys []string
	for _, key := range []string{npz.KeyU, npz.KeyBias, npz.KeyLogW, npz.KeyLogQ} {
		if r.Has(key) {
			keys = append(keys, key)
		}
	}
	return strings.Join(keys, ", ")
}

// addColumns takes over what a file has for its frames beside positions and forces.
func (im *importer) addColumns(batch *data.Frames) {
	r, ok := im.current.(*npz.Reader)
	if !ok {
		return
	}
	for key, column := range map[string]*[]float64{npz.KeyBias: &batch.Bias, npz.KeyLogW: &batch.LogW,
		npz.KeyLogQ: &batch.LogQ} {
		if r.Has(key) {
			*column = append(*column, r.Value(key))
		}
	}
}
