// Package explicit holds molecular dynamics of alanine dipeptide in explicit
// water: two runs biased by AWH with γ = 9, one with γ = 1.5, and a short one
// without bias. Forces never hold the bias. README.md says how the sets were
// made and how little they know.
//
// Every set is embedded on its own; a program holds those it asks for.
package explicit

import (
	"bytes"
	_ "embed" // the sets
	"fmt"

	"github.com/cgbg-go/lab/data"
)

var (
	//go:embed awh9_a_dihedrals.arrow
	awh9A []byte
	//go:embed awh9_b_dihedrals.arrow
	awh9B []byte
	//go:embed awh1.5_dihedrals.arrow
	awh15 []byte
	//go:embed unbiased_dihedrals.arrow
	unbiased []byte
	//go:embed awh9_heavy-atom.arrow
	awh9HA []byte
	//go:embed awh9_core-beta.arrow
	awh9CB []byte
	//go:embed awh1.5_heavy-atom.arrow
	awh15HA []byte
	//go:embed awh1.5_core-beta.arrow
	awh15CB []byte
	//go:embed awh9-resampled_heavy-atom.arrow
	resampledHA []byte
	//go:embed awh9-resampled_core-beta.arrow
	resampledCB []byte
	//go:embed unbiased_heavy-atom.arrow
	unbiasedHA []byte
	//go:embed unbiased_core-beta.arrow
	unbiasedCB []byte
)

func open(name string, file []byte) (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(file), int64(len(file)), name)
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("explicit: %w", err)
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}

// AWH9DihedralsA has φ and ψ of every frame of the first run with γ = 9 as R, rad, and LogW in nats, 0.1 ps apart,
// [40000, 1, 2].
func AWH9DihedralsA() (*data.Frames, data.Meta, error) {
	return open("awh9_a_dihedrals.arrow", awh9A)
}

// AWH9DihedralsB is of the second run, with another seed, [31825, 1, 2].
func AWH9DihedralsB() (*data.Frames, data.Meta, error) {
	return open("awh9_b_dihedrals.arrow", awh9B)
}

// AWH15Dihedrals is of γ = 1.5, as AWH9DihedralsA, [21762, 1, 2].
func AWH15Dihedrals() (*data.Frames, data.Meta, error) {
	return open("awh1.5_dihedrals.arrow", awh15)
}

// UnbiasedDihedrals has φ and ψ of every frame of the run without bias, 0.2 ps apart, [4630, 1, 2].
func UnbiasedDihedrals() (*data.Frames, data.Meta, error) {
	return open("unbiased_dihedrals.arrow", unbiased)
}

// AWH9HeavyAtom has R (nm), F without the bias (kJ/mol/nm) and LogW of both runs with γ = 9, one behind the other, 0.3
// ps apart, [23943, 10, 3]; the first 13,334 frames are of the first run. The weights of either have a mean of one.
func AWH9HeavyAtom() (*data.Frames, data.Meta, error) {
	return open("awh9_heavy-atom.arrow", awh9HA)
}

// AWH9CoreBeta is the same at Core Beta resolution, 0.2 ps apart, [35913, 6, 3]; the first 20,000 frames are of the
// first run.
func AWH9CoreBeta() (*data.Frames, data.Meta, error) {
	return open("awh9_core-beta.arrow", awh9CB)
}

// AWH15HeavyAtom is of γ = 1.5, as AWH9HeavyAtom, every frame, 0.1 ps apart, [21762, 10, 3].
func AWH15HeavyAtom() (*data.Frames, data.Meta, error) {
	return open("awh1.5_heavy-atom.arrow", awh15HA)
}

// AWH15CoreBeta is the same at Core Beta resolution, [21762, 6, 3].
func AWH15CoreBeta() (*data.Frames, data.Meta, error) {
	return open("awh1.5_core-beta.arrow", awh15CB)
}

// AWH9ResampledHeavyAtom is an unbiased set: frames of AWH9HeavyAtom drawn with their weights, some more than once,
// [12000, 10, 3]. They know as much as some 5,700 of them would.
func AWH9ResampledHeavyAtom() (*data.Frames, data.Meta, error) {
	return open("awh9-resampled_heavy-atom.arrow", resampledHA)
}

// AWH9ResampledCoreBeta is the same of AWH9CoreBeta, [12000, 6, 3], as good as some 8,500 different ones.
func AWH9ResampledCoreBeta() (*data.Frames, data.Meta, error) {
	return open("awh9-resampled_core-beta.arrow", resampledCB)
}

// UnbiasedHeavyAtom has R and F of the run without bias, every frame, [4630, 10, 3].
func UnbiasedHeavyAtom() (*data.Frames, data.Meta, error) {
	return open("unbiased_heavy-atom.arrow", unbiasedHA)
}

// UnbiasedCoreBeta is the same at Core Beta resolution, [4630, 6, 3].
func UnbiasedCoreBeta() (*data.Frames, data.Meta, error) {
	return open("unbiased_core-beta.arrow", unbiasedCB)
}
