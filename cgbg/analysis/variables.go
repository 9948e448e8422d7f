package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// Defaults are the variables of frames for which nobody named any.
type Defaults struct {
	Variables []observable.Variable
	// Scored are the names of those whose distribution is scored: two together, or one.
	Scored []string
}

// Limits of the default variables.
const (
	mostFrames = 2000 // that distances are looked at in, evenly spaced, and fewer of very many beads
	mostPairs  = 2e7  // distances in all of them
	fewFrames  = 10   // at least
	alike      = 0.8  // correlation from which two distances tell the same
)

// DefaultVariables chooses variables by what frames are of. A peptide has φ and ψ of every residue that has both,
// called phi_ALA2 and psi_ALA2 ("/" of a chain's name is "_", too); those of the middle one, number (n−1)/2 from 0,
// are scored. Any other molecule has two distances of beads and the torsions about its bonds; the distances are
// scored: that of the largest standard deviation over mean, and the next such that is correlated with it by less than
// 0.8. Weights of frames do not count in the choice.
// Errors: frames of one bead, or without positions in space; what the variables cannot be measured on.
func DefaultVariables(f *data.Frames, m data.Meta) (Defaults, error) {
	residues, err := observable.Residues(f, m)
	var d Defaults
	switch {
	case err == nil && len(residues) > 0:
		d, err = peptide(residues)
	case f.Dim != 3 || f.Beads < 2:
		err = fmt.Errorf("%d beads of %d numbers; name variables of your own", f.Beads, f.Dim)
	default:
		d, err = molecule(f, m)
	}
	if err != nil {
		return Defaults{}, fmt.Errorf("analysis: default variables: %w", err)
	}
	return d, nil
}

// peptide has φ and ψ of residues.
func peptide(residues []string) (d Defaults, err error) {
	texts, names := words(residues, len(residues))
	for i := range residues {
		for _, angle := range []string{"phi", "psi"} {
			if err := d.add(angle+"_"+names[i], "%s(%s)", angle, texts[i]); err != nil {
				return d, err
			}
		}
	}
	middle := 2 * ((len(residues) - 1) / 2)
	d.Scored = []string{d.Variables[middle].Name, d.Variables[middle+1].Name}
	return d, nil
}

// molecule has distances and torsions.
func molecule(f *data.Frames, m data.Meta) (d Defaults, err error) {
	texts, names := words(m.Beads, f.Beads)
	for _, p := range widest(sample(f), f.Beads) {
		i, j := p[0], p[1]
		if err := d.add("d_"+names[i]+"_"+names[j], "distance(%s,%s)", texts[i], texts[j]); err != nil {
			return d, err
		}
		d.Scored = append(d.Scored, d.Variables[len(d.Variables)-1].Name)
	}
	for _, q := range topology.Torsions(f.R, f.Beads) {
		name := "torsion_" + names[q[1]] + "_" + names[q[2]]
		err := d.add(name, "dihedral(%s,%s,%s,%s)", texts[q[0]], texts[q[1]], texts[q[2]], texts[q[3]])
		if err != nil {
			return d, err
		}
		last := len(d.Variables) - 1
		x, err := d.Variables[last].Of(f, m)
		if err != nil {
			return d, err
		}
		if slices.ContainsFunc(x, math.IsNaN) { // beads in a line
			d.Variables = d.Variables[:last]
		}
	}
	return d, nil
}

// add appends a variable from text.
func (d *Defaults) add(name, format string, args ...any) error {
	v, err := observable.ParseVariable(name, fmt.Sprintf(format, args...))
	if err != nil {
		return err
	}
	d.Variables = append(d.Variables, v)
	return nil
}

// words are what count beads or residues are called in the text of variables, and in their names. Those without a
// name of their own, or one that text cannot hold, go by their place.
func words(names []string, count int) (texts, plain []string) {
	times := map[string]int{}
	for _, name := range names {
		times[letters(name)]++
	}
	for i := range count {
		place := fmt.Sprint(i + 1)
		text, word := "#"+place, place
		if i < len(names) && letters(names[i]) != "" {
			word = letters(names[i])
			if times[word] > 1 {
				word += "_" + place
			} else if name := names[i]; !strings.ContainsAny(name, `(),"#`) && name == strings.TrimSpace(name) {
				text = name
			}
		}
		texts, plain = append(texts, text), append(plain, word)
	}
	return texts, plain
}

// letters is a name that can be part of a variable's.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("+-.^*'", r) {
			return r
		}
		return '_'
	}, name)
}

// sample is some of the frames, [n, beads, 3].
func sample(f *data.Frames) []float32 {
	n := f.Len()
	use := min(n, mostFrames, max(fewFrames, int(2*mostPairs/float64(f.Beads*f.Beads))))
	var r []float32
	for i := range use {
		at := i * n / use * f.Width()
		r = append(r, f.R[at:at+f.Width()]...)
	}
	return r
}

// widest are the two pairs of beads (one of two beads) whose distance has the largest spread, relative to its mean,
// and is not one and the same motion.
func widest(r []float32, beads int) [][2]int {
	var pairs [][2]int
	var spread []float64
	for i := range beads {
		for j := range i {
			pair := [2]int{j, i}
			mean, sd := stat.PopMeanStdDev(observable.BondLengths(r, beads, pair), nil)
			pairs, spread = append(pairs, pair), append(spread, 0)
			if mean > 0 {
				spread[len(spread)-1] = sd / mean
			}
		}
	}
	order := make([]int, len(pairs))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(spread[b], spread[a]) })
	first := pairs[order[0]]
	if len(order) == 1 {
		return [][2]int{first}
	}
	second := pairs[order[1]]
	x := observable.BondLengths(r, beads, first)
	for _, k := range order[1:] {
		if math.Abs(stat.Correlation(x, observable.BondLengths(r, beads, pairs[k]), nil)) < alike {
			second = pairs[k]
			break
		}
	}
	return [][2]int{first, second}
}
