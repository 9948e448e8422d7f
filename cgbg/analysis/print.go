package analysis

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Print writes an evaluation for a reader: notes, numbers a line each, what was lost, and the verdict.
func (e *Evaluation) Print(w io.Writer) {
	for _, note := range e.Notes {
		fmt.Fprintln(w, note)
	}
	for _, r := range e.Results() {
		if r.Text == "" {
			fmt.Fprintln(w, line(r))
		}
	}
	PrintFidelity(w, e.Weights.Fidelity)
	if c := e.Weights.Coverage; c.Frames > 0 {
		fmt.Fprintln(w, c)
	}
	fmt.Fprintln(w, e.Verdict())
}

// line is a number with all that is known of it.
func line(r result.Result) string {
	s := fmt.Sprintf("%-32s %.4g", r.Name, r.Value)
	if !math.IsNaN(r.Error) {
		s += fmt.Sprintf(" ± %.2g", r.Error)
	}
	if r.Unit != "" {
		s += " " + r.Unit
	}
	if !math.IsNaN(r.Floor) {
		s += fmt.Sprintf("   floor %.4g", r.Floor)
	}
	return s
}

// PrintFidelity writes what share of samples was lost, and how wide bonds and angles are beside the frames of the flow;
// nothing where nothing is known of these.
func PrintFidelity(w io.Writer, f reweight.Fidelity) {
	if f.N == 0 {
		return
	}
	share := func(e reweight.Estimate) string {
		return reweight.Percent(e.Value) + " ± " + reweight.Percent(e.Error)
	}
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
