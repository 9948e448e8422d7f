// Package baseline holds the paper's implicit-water baselines of alanine
// dipeptide, generalised Born dynamics with OBC1 and OBC2 as the paper ran
// them: 2 fs, bonds to hydrogen rigid. README.md says how they were made.
//
// They have φ and ψ alone: they are what models of explicit water are compared
// with, and nothing is trained on them.
package baseline

import (
	"bytes"
	_ "embed" // the sets
	"fmt"

	"github.com/cgbg-go/lab/data"
)

var (
	//go:embed obc1_dihedrals.arrow
	obc1 []byte
	//go:embed obc2_dihedrals.arrow
	obc2 []byte
)

func open(name string, file []byte) (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(file), int64(len(file)), name)
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("baseline: %w", err)
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}

// OBC1 has φ and ψ of every frame of 16 replicas, one behind the other, as R, rad, 0.5 ps apart, [121920, 1, 2].
func OBC1() (*data.Frames, data.Meta, error) { return open("obc1_dihedrals.arrow", obc1) }

// OBC2 has φ and ψ of every frame of one run of 100 ns as R, rad, 0.5 ps apart, [200000, 1, 2].
func OBC2() (*data.Frames, data.Meta, error) { return open("obc2_dihedrals.arrow", obc2) }
