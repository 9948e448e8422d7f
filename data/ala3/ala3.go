// Package ala3 holds molecular dynamics of tri-alanine, Ac-Ala₃-NHMe, in implicit water (OBC2), biased along φ and ψ
// of its middle residue by well-tempered metadynamics, with weights. README.md says how the sets were made and how
// good they are.
//
// Every set is embedded on its own; a program holds those it asks for.
package ala3

import (
	"bytes"
	_ "embed" // the sets
	"fmt"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

var (
	//go:embed metad5_dihedrals.arrow
	dihedrals []byte
	//go:embed metad5_heavy-atom.arrow
	heavyAtom []byte
	//go:embed metad5_core-beta.arrow
	coreBeta []byte
	//go:embed ala3.pdb
	structure []byte
)

func open(name string, file []byte) (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(file), int64(len(file)), name)
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("ala3: %w", err)
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}

// Structure is a stretched conformation with the names of the 42 atoms: ACE1, ALA2, ALA3, ALA4, NME5.
func Structure() (*gromacs.Structure, error) {
	return gromacs.ParsePDB(bytes.NewReader(structure), "ala3.pdb")
}

// Dihedrals has φ and ψ of ALA2, ALA3 and ALA4 as R, rad, [6000, 3, 2], and LogW in nats, 3 ps apart.
func Dihedrals() (*data.Frames, data.Meta, error) {
	return open("metad5_dihedrals.arrow", dihedrals)
}

// HeavyAtom has R (nm), F without the bias (kJ/mol/nm), and LogW, 24 ps apart, [750, 20, 3].
func HeavyAtom() (*data.Frames, data.Meta, error) {
	return open("metad5_heavy-atom.arrow", heavyAtom)
}

// CoreBeta is the same at Core Beta resolution, without the caps, 6 ps apart, [3000, 12, 3].
func CoreBeta() (*data.Frames, data.Meta, error) {
	return open("metad5_core-beta.arrow", coreBeta)
}
