package trajectory

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// readMap makes the map, by name or from a file.
func (im *importer) readMap(s *gromacs.Structure) (err error) {
	im.atoms = len(s.Atoms)
	switch {
	case im.Map == Dihedrals:
		if im.cg, im.residues, err = cgmap.Dihedrals(s); err == nil {
			im.pick = picks(im.cg, s)
		}
	case slices.Contains(cgmap.Names, im.Map):
		if im.cg, err = cgmap.New(im.Map, s); err == nil {
			im.noteNames(s)
		}
	default:
		text, err := os.ReadFile(im.Map)
		if err != nil {
			return err
		}
		im.mapText = string(text)
		if im.cg, err = cgmap.Parse(bytes.NewReader(text), im.Map, s); err != nil {
			return fmt.Errorf("%w (the structure is %s)", err, im.Structure)
		}
		im.cg.Name = filepath.Base(im.Map)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", im.Structure, err)
	}
	return nil
}

// noteNames says where the structure has dihedrals that the names of its beads do not show, as their numbers do not
// follow each other, or caps have names of their own.
func (im *importer) noteNames(s *gromacs.Structure) {
	m, residues, err := cgmap.Dihedrals(s)
	if err != nil {
		return // no peptide
	}
	has := func(i int) bool { return slices.Contains(im.cg.Atoms, m.Atoms[i]) }
	there := 0
	for _, r := range residues {
		if !slices.ContainsFunc(append(r.Phi[:], r.Psi[3]), func(i int) bool { return !has(i) }) {
			there++
		}
	}
	named, _ := cgmap.Backbone(im.cg.Beads)
	if n := there - len(named); n > 0 {
		im.note("%s: the names of the beads do not show φ and ψ of %d of %d residues: number residues that peptide "+
			"bonds join one after the other, and give caps residues and names that force fields use (ACE: C, NME: "+
			"N), or scores will be without them", im.Structure, n, there)
	}
}

// picks tells which beads of a named map are those of cg, by how many beads the map has. Trajectories of its beads do
// for cg, then.
func picks(cg *cgmap.Map, s *gromacs.Structure) map[int][]int {
	out := map[int][]int{}
	for _, name := range cgmap.Names {
		m, err := cgmap.New(name, s)
		if err != nil {
			continue // an element that cg does without
		}
		var beads []int
		for _, atom := range cg.Atoms {
			if i := slices.Index(m.Atoms, atom); i >= 0 {
				beads = append(beads, i)
			}
		}
		if len(beads) == len(cg.Atoms) && len(m.Atoms) != len(s.Atoms) {
			out[len(m.Atoms)] = beads
		}
	}
	return out
}

// noiseLine tells of the size of forces, mean forces included, kJ/mol/nm.
func noiseLine(rms, basic float64) string {
	return fmt.Sprintf("rms force component %.1f kJ/mol/nm, %.1f by the basic projection", rms, basic)
}

// allForces goes through all frames, which must have the forces on all atoms.
func (im *importer) allForces(ctx context.Context, s *gromacs.Structure, add func(f *gromacs.Frame) error) error {
	for _, path := range im.Trajectories {
		if err := im.frames(ctx, path, func(f *gromacs.Frame, _ *float64) error {
			if len(f.F) != 3*len(s.Atoms) {
				return fmt.Errorf("-forces %s needs the forces on all %d atoms of the structure, here are %d",
					im.Forces, len(s.Atoms), len(f.F)/3)
			}
			return add(f)
		}); err != nil {
			return err
		}
	}
	return nil
}

// noise compares the forces along internal coordinates with those of a basic map, on the frames of a sample.
func (s *sample) noise(in *cgmap.InternalForces, basic *cgmap.Sparse) (string, error) {
	square := func(forces []float32) (sum float64) {
		for _, v := range forces {
			sum += float64(v) * float64(v)
		}
		return sum
	}
	sum, plain, n := 0.0, 0.0, 0
	var forces []float32
	for k, r := range s.r {
		var err error
		if forces, err = basic.Apply(forces[:0], s.f[k]); err != nil {
			return "", err
		}
		plain += square(forces)
		if forces, err = in.Apply(forces[:0], r, s.f[k]); err != nil {
			return "", err
		}
		sum += square(forces)
		n += len(forces)
	}
	return noiseLine(math.Sqrt(sum/float64(max(1, n))), math.Sqrt(plain/float64(max(1, n)))), nil
}

// sampledNumbers are those of positions that a sample holds at most, but for 1,000 frames.
const sampledNumbers = 2 << 20

// sample holds frames at even distances, at most so many, of a trajectory of any length.
type sample struct {
	most, every, seen int
	r, f              [][]float32
}

// wants tells whether the next frame is one of them.
func (s *sample) wants() bool {
	s.every = max(s.every, 1)
	s.seen++
	return (s.seen-1)%s.every == 0
}

func (s *sample) add(r, f []float32) {
	s.r, s.f = append(s.r, slices.Clone(r)), append(s.f, slices.Clone(f))
	if len(s.r) < s.most {
		return
	}
	s.every *= 2
	for k := range (len(s.r) + 1) / 2 {
		s.r[k], s.f[k] = s.r[2*k], s.f[2*k]
	}
	s.r, s.f = s.r[:(len(s.r)+1)/2], s.f[:(len(s.f)+1)/2]
}

// A batch of mapped frames is written when it has so many frames or numbers.
const (
	batchFrames  = 1000
	batchNumbers = 1 << 20
)

func (im *importer) write(ctx context.Context, w *data.Writer) error {
	batch := &data.Frames{Beads: len(im.meta.Beads), Dim: im.meta.Dim}
	var logw []float64 // of all frames, where weights are compared
	flush := func() error {
		if batch.Len() == 0 {
			return nil
		}
		if len(im.sources) > 1 {
			logw = append(logw, batch.LogW...)
		}
		err := w.Append(batch)
		batch.R, batch.F, batch.LogW, batch.U = batch.R[:0], batch.F[:0], batch.LogW[:0], batch.U[:0]
		batch.Bias, batch.LogQ = batch.Bias[:0], batch.LogQ[:0]
		return err
	}
	im.number, im.kept, im.lastTime = 0, 0, math.Inf(-1)
	for _, path := range im.Trajectories {
		if err := im.frames(ctx, path, func(f *gromacs.Frame, energy *float64) error {
			if err := im.add(batch, f, energy); err != nil {
				return err
			}
			if batch.Len() < batchFrames && len(batch.R) < batchNumbers {
				return nil
			}
			return flush()
		}); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return im.compare(logw, im.number)
}

// place makes the molecules of a frame whole, of atoms or of beads of a named map.
func (im *importer) place(f *gromacs.Frame) (beads bool, err error) {
	if some := im.pick[len(f.R)/3]; some != nil && len(f.R) != 3*len(im.cg.Beads) {
		f.R = gather(f.R, some)
	}
	if im.ofBeads(f) {
		_, err := im.beads.WholeFrame(f)
		return true, err
	}
	switch n := len(f.R) / 3; n {
	case im.atoms:
	case len(im.cg.Beads):
		return false, fmt.Errorf("it has as many places as the map %s has beads: of such a map frames of the "+
			"structure's %d atoms are needed; "+
			"frames of beads are read with a structure of the beads, and a map of them (@1, @2, "+
			"...)", im.cg.Name, im.atoms)
	default:
		return false, fmt.Errorf("it has %d atoms, the structure %s has %d, the map %s %d beads: give a structure "+
			"of the trajectory's own atoms, "+
			"in its order (gmx trjconv -dump 0 with the same "+
			"group)", n, im.Structure, im.atoms, im.cg.Name, len(im.cg.Beads))
	}
	_, err = im.molecule.WholeFrame(f)
	return false, err
}

// add maps one frame.
func (im *importer) add(batch *data.Frames, f *gromacs.Frame, energy *float64) error {
	beads, err := im.place(f)
	if err != nil {
		return err
	}
	r, forces := f.R, f.F
	if !beads {
		if r, err = im.cg.Apply(nil, f.R); err != nil {
			return err
		}
		switch {
		case forces == nil || im.Map == Dihedrals:
		case im.internal != nil:
			forces, err = im.internal.Apply(nil, gather(f.R, im.own), gather(forces, im.own))
		case im.forceMap != nil:
			forces, err = im.forceMap.Apply(nil, forces)
		default:
			forces, err = im.cg.Apply(nil, forces)
		}
		if err != nil {
			return err
		}
	}
	angles, err := im.weigh(batch, r, &biasFrame{r: f.R, box: &f.Box, time: im.time, timed: im.timed,
		number: im.number, kept: im.kept})
	if err != nil {
		return err
	}
	if im.Map == Dihedrals {
		batch.R = append(batch.R, angles...)
	} else {
		batch.R, batch.F = append(batch.R, r...), append(batch.F, forces...)
	}
	if energy != nil {
		batch.U = append(batch.U, *energy)
	}
	im.addColumns(batch)
	im.kept++
	return nil
}
