package cgbg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
)

// residueNames are the residues whose φ and ψ frames have, in order; dihedrals alone may have none.
// Error: beads that determine no residue's.
func residueNames(f *data.Frames, m data.Meta) (names []string, err error) {
	if f.Dim == 2 { // map "dihedrals"
		for _, bead := range m.Beads {
			name, _, _ := strings.Cut(bead, ":")
			names = append(names, name)
		}
		return names, nil
	}
	residues, err := cgmap.Backbone(m.Beads)
	for _, r := range residues {
		names = append(names, r.Name)
	}
	return names, err
}

// residueDihedrals are φ and ψ of one residue in every frame, rad; "": of the first one. It returns its name, too.
// Errors: those of residueNames, no such residue.
func residueDihedrals(f *data.Frames, m data.Meta, residue string) (name string, phi, psi []float64, err error) {
	names, err := residueNames(f, m)
	if err != nil {
		return "", nil, nil, err
	}
	k := 0
	if residue != "" {
		if k = slices.Index(names, residue); k < 0 {
			return "", nil, nil, fmt.Errorf("no φ and ψ of residue %q: those that have them are %q", residue, names)
		}
	}
	if k < len(names) {
		name = names[k]
	}
	if f.Dim == 2 {
		for i := range f.Len() {
			phi = append(phi, float64(f.R[i*f.Width()+2*k]))
			psi = append(psi, float64(f.R[i*f.Width()+2*k+1]))
		}
		return name, phi, psi, nil
	}
	residues, err := cgmap.Backbone(m.Beads)
	if err != nil {
		return "", nil, nil, err
	}
	return name, observable.Dihedrals(f.R, f.Beads, residues[k].Phi), observable.Dihedrals(f.R, f.Beads, residues[k].Psi), nil
}

// alone are the names that one of two lists has; none where one of them is empty.
func alone(a, b []string) (names []string) {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	for _, name := range slices.Concat(a, b) {
		if slices.Contains(a, name) != slices.Contains(b, name) {
			names = append(names, name)
		}
	}
	return names
}

// scoredResidue chooses the residue that is scored, by its name in the samples and in the reference: the one that is asked for
// (SAMPLES=REFERENCE where the two have other names for it), or the first one of the samples that the reference has, too. common are all that both have.
// Error: there is none, or not that one.
func scoredResidue(asked string, samples, reference []string) (of, in string, common []string, err error) {
	if len(samples) == 0 || len(reference) == 0 { // dihedrals without names
		return "", "", nil, nil
	}
	for _, name := range samples {
		if slices.Contains(reference, name) {
			common = append(common, name)
		}
	}
	of, in, two := strings.Cut(asked, "=")
	if !two {
		in = of
	}
	switch {
	case asked == "" && len(common) == 0:
		return "", "", nil, fmt.Errorf("cgbg: the samples have φ and ψ of the residues %q, the reference of %q, none of the same name: if two of them are the same, say so with -residue %s=%s",
			samples, reference, samples[0], reference[0])
	case asked == "":
		return common[0], common[0], common, nil
	case !slices.Contains(samples, of) || !slices.Contains(reference, in):
		return "", "", nil, fmt.Errorf("cgbg: no residue %s: the samples have φ and ψ of %q, the reference of %q", asked, samples, reference)
	}
	return of, in, common, nil
}
