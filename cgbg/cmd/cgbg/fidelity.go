package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// tellFidelity prints what share of samples was lost, and how wide bonds and angles are beside the frames of the flow; nothing where
// nothing is known of these.
func tellFidelity(w io.Writer, f reweight.Fidelity) {
	if f.N == 0 {
		return
	}
	share := func(e reweight.Estimate) string { return fmt.Sprintf("%.2g %% ± %.1g %%", 100*e.Value, 100*e.Error) }
	hands := "the frames of the flow have no chiral centre, so that a sample and its mirror image count alike"
	if f.Centres > 0 {
		hands = fmt.Sprintf("%s of the samples have a wrong hand (chiral centres: %d)", share(f.WrongHand), f.Centres)
	}
	fmt.Fprintf(w, "lost: %s; %s have no weight for another reason\n", hands, share(f.NoWeight))
	var widths []string
	for _, c := range []struct {
		what          string
		count         int
		before, after reweight.Estimate
	}{{"bonds", f.Bonds, f.BondWidthBefore, f.BondWidth}, {"angles", f.Angles, f.AngleWidthBefore, f.AngleWidth}} {
		if c.count == 0 {
			continue
		}
		text := fmt.Sprintf("%s %.3g ± %.1g", c.what, c.before.Value, c.before.Error)
		if c.after.Value > 0 {
			text += fmt.Sprintf(" (weighted %.3g ± %.1g)", c.after.Value, c.after.Error)
		}
		widths = append(widths, text)
	}
	if len(widths) > 0 {
		fmt.Fprintf(w, "widths over those of the frames: %s\n", strings.Join(widths, ", "))
	}
}

// tellResidue prints whose dihedrals were scored, and which others could be.
func tellResidue(w io.Writer, e *cgbg.Evaluation) {
	if e.Residue == "" {
		return
	}
	fmt.Fprintf(w, "scored on phi and psi of %s", e.Residue)
	if in := e.Reference.Residue; in != e.Residue && in != "" {
		fmt.Fprintf(w, ", %s of the reference", in)
	}
	if len(e.Residues) > 1 {
		fmt.Fprintf(w, "; samples and reference have %s (-residue chooses)", strings.Join(e.Residues, ", "))
	}
	if len(e.Alone) > 0 && e.Residue == e.Reference.Residue {
		fmt.Fprintf(w, "; samples or reference alone have %s: are they of the same molecule?", strings.Join(e.Alone, ", "))
	}
	fmt.Fprintln(w)
}
