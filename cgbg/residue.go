package cgbg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
)

// inOneOnly are the names that one of two lists has; none where one of them is empty.
func inOneOnly(a, b []string) (names []string) {
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

// withMolecule adds to an error by what the reference is of another molecule, where that shows.
func withMolecule(err error, samples, reference data.Meta) error {
	if note := otherMolecule(samples, reference); err != nil && note != "" {
		return fmt.Errorf("%w; %s", err, note)
	}
	return err
}

// otherMolecule says by what a reference is of another molecule than the samples, or of other beads where both are of
// one map; "" where nothing shows.
func otherMolecule(samples, reference data.Meta) string {
	const most = 8
	list := func(a, b []string) string { // of those that only a has
		only := slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
		switch n := len(only); {
		case n == 0:
			return "no other ones"
		case n > most:
			return strings.Join(only[:most], " ") + fmt.Sprintf(" and %d more", n-most)
		}
		return strings.Join(only, " ")
	}
	switch same := samples.Dim == reference.Dim && samples.Mapping == reference.Mapping; {
	case same && len(inOneOnly(samples.Beads, reference.Beads)) > 0:
		return fmt.Sprintf("the reference is of another molecule, or calls its beads otherwise: the samples "+
			"alone have the beads %s, the reference alone %s", list(samples.Beads, reference.Beads),
			list(reference.Beads, samples.Beads))
	case !same && samples.System != "" && reference.System != "" && samples.System != reference.System:
		return fmt.Sprintf("the reference is of %s, the samples are of %s: is this one molecule under two names?",
			reference.System, samples.System)
	}
	return ""
}

// scoredResidue chooses the residue that is scored, by its name in the samples and in the reference: the one that is
// asked for (SAMPLES=REFERENCE where the two have other names for it), or the middle one of those that both have.
// common are all that both have. Error: there is none, or not that one.
func scoredResidue(asked string, samples, reference []string) (of, in string, common []string, err error) {
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
		return "", "", nil, fmt.Errorf("cgbg: the samples have φ and ψ of the residues %q, the reference of %q, "+
			"none of the same name: if two of them are the same, say so with -residue %s=%s",
			samples, reference, samples[0], reference[0])
	case asked == "":
		middle := common[(len(common)-1)/2]
		return middle, middle, common, nil
	case !slices.Contains(samples, of) || !slices.Contains(reference, in):
		return "", "", nil, fmt.Errorf("cgbg: no residue %s: the samples have φ and ψ of %q, the reference of %q",
			asked,
			samples, reference)
	}
	return of, in, common, nil
}

// askPeptide asks for φ and ψ of every residue that samples and reference have; those of the middle one, or of the
// options' Residue, are scored together. names: those of the samples.
func (o *ReportOptions) askPeptide(names []string, reference *data.Frames, refMeta data.Meta) (a asked, err error) {
	others := names
	if reference != nil {
		if others, err = observable.Residues(reference, refMeta); err != nil {
			return a, fmt.Errorf("cgbg: %s: %w", o.Reference, err)
		}
	}
	of, in, common, err := scoredResidue(o.Residue, names, others)
	if err != nil {
		return a, err
	}
	if of != in || len(common) == 0 { // one residue under two names
		common = []string{of}
	}
	var variables [2][]observable.Variable
	var scored []string
	for _, residue := range common {
		for _, angle := range []string{"phi", "psi"} {
			name := angle + "_" + strings.ReplaceAll(residue, "/", "_")
			for k, of := range []string{residue, map[bool]string{true: in, false: residue}[residue == of]} {
				v, err := observable.ParseVariable(name, fmt.Sprintf("%s(%s)", angle, of))
				if err != nil {
					return a, err
				}
				variables[k] = append(variables[k], v)
			}
			if residue == of {
				scored = append(scored, name)
			}
		}
	}
	if a.samples, err = o.question(variables[0], scored); err == nil {
		a.reference, err = o.question(variables[1], scored)
	}
	note := "scored on phi and psi of " + of
	if in != of {
		note += fmt.Sprintf(", %s of the reference", in)
	}
	if len(common) > 1 {
		note += fmt.Sprintf("; samples and reference have %s (-residue chooses)", strings.Join(common, ", "))
	}
	if list := inOneOnly(names, others); len(list) > 0 && of == in {
		note += fmt.Sprintf("; samples or reference alone have %s: are they of the same molecule?",
			strings.Join(list, ", "))
	}
	a.notes = []string{note}
	return a, err
}
