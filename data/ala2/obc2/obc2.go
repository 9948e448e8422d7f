// Package obc2 holds molecular dynamics of alanine dipeptide in implicit water
// (OBC2), long enough for references: unbiased, and metadynamics with weights.
// README.md says how the sets were made.
//
// Every set is embedded on its own; a program holds those it asks for.
package obc2

import (
	"bytes"
	_ "embed" // the sets
	"fmt"

	"github.com/cgbg-go/lab/data"
)

var (
	//go:embed unbiased_a_dihedrals.arrow
	dihedralsA []byte
	//go:embed unbiased_b_dihedrals.arrow
	dihedralsB []byte
	//go:embed metad9_dihedrals.arrow
	dihedrals9 []byte
	//go:embed metad1.5_dihedrals.arrow
	dihedrals15 []byte
	//go:embed unbiased_heavy-atom.arrow
	unbiasedHA []byte
	//go:embed unbiased_core-beta.arrow
	unbiasedCB []byte
	//go:embed unbiased_all-atom.arrow
	unbiasedAA []byte
	//go:embed metad9_heavy-atom.arrow
	metad9HA []byte
	//go:embed metad9_core-beta.arrow
	metad9CB []byte
	//go:embed metad1.5_heavy-atom.arrow
	metad15HA []byte
	//go:embed metad1.5_core-beta.arrow
	metad15CB []byte
)

func open(name string, file []byte) (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(file), int64(len(file)), name)
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("obc2: %w", err)
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}

// UnbiasedDihedralsA has φ and ψ of every frame of the first run as R, rad, [200000, 1, 2], 0.5 ps apart.
func UnbiasedDihedralsA() (*data.Frames, data.Meta, error) {
	return open("unbiased_a_dihedrals.arrow", dihedralsA)
}

// UnbiasedDihedralsB is of the second run, with another seed.
func UnbiasedDihedralsB() (*data.Frames, data.Meta, error) {
	return open("unbiased_b_dihedrals.arrow", dihedralsB)
}

// Metad9Dihedrals is of metadynamics with γ = 9, [44000, 1, 2], with LogW in nats, 0.5 ps apart.
func Metad9Dihedrals() (*data.Frames, data.Meta, error) {
	return open("metad9_dihedrals.arrow", dihedrals9)
}

// Metad15Dihedrals is of γ = 1.5, as Metad9Dihedrals, [18000, 1, 2].
func Metad15Dihedrals() (*data.Frames, data.Meta, error) {
	return open("metad1.5_dihedrals.arrow", dihedrals15)
}

// UnbiasedHeavyAtom has R (nm) and F (kJ/mol/nm) of run a, 2.5 ps apart, [40000, 10, 3].
func UnbiasedHeavyAtom() (*data.Frames, data.Meta, error) {
	return open("unbiased_heavy-atom.arrow", unbiasedHA)
}

// UnbiasedCoreBeta is the same at Core Beta resolution, [40000, 6, 3].
func UnbiasedCoreBeta() (*data.Frames, data.Meta, error) {
	return open("unbiased_core-beta.arrow", unbiasedCB)
}

// UnbiasedAllAtom has every 50th frame of run a with all atoms, [4000, 22, 3].
func UnbiasedAllAtom() (*data.Frames, data.Meta, error) {
	return open("unbiased_all-atom.arrow", unbiasedAA)
}

// Metad9HeavyAtom has R, F without the bias, and LogW, 1 ps apart, [22000, 10, 3].
func Metad9HeavyAtom() (*data.Frames, data.Meta, error) {
	return open("metad9_heavy-atom.arrow", metad9HA)
}

// Metad9CoreBeta is the same at Core Beta resolution, every frame, 0.5 ps apart, [44000, 6, 3].
func Metad9CoreBeta() (*data.Frames, data.Meta, error) {
	return open("metad9_core-beta.arrow", metad9CB)
}

// Metad15HeavyAtom is of γ = 1.5, as Metad9HeavyAtom, 0.5 ps apart, [18000, 10, 3].
func Metad15HeavyAtom() (*data.Frames, data.Meta, error) {
	return open("metad1.5_heavy-atom.arrow", metad15HA)
}

// Metad15CoreBeta is the same at Core Beta resolution, [18000, 6, 3].
func Metad15CoreBeta() (*data.Frames, data.Meta, error) {
	return open("metad1.5_core-beta.arrow", metad15CB)
}
