package trajectory

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/npz"
)

const (
	alike     = 0.5 // rms difference of log-weights, kT, up to which two sources are of one bias, as far as it goes
	opposed   = -0.3
	grown     = 0.4 // correlation from which two may be of a bias that grew and of its end
	leastSeen = 0.5 // standard deviation of log-weights, kT, from which a correlation says something
)

// compare ends the reading of the sources, and tells how much they disagree, up to a constant. Sources whose weights
// run against each other, as a wrong sign or other variables make them, are an error; lesser differences are what
// biases have that still grew, and are said.
func (im *importer) compare(logw []float64, frames int) error {
	for k, s := range im.sources {
		if s.end != nil {
			if err := s.end(frames); err != nil {
				return fmt.Errorf("%s: %w", s.path, err)
			}
		}
		if k == 0 {
			continue
		}
		mean, rms := moments(s.off)
		most := 0.0
		other := make([]float64, len(logw))
		for i, d := range s.off {
			most = max(most, math.Abs(d-mean))
			other[i] = logw[i] + d
		}
		first := im.sources[0]
		_, spread := moments(logw)
		_, spreadOther := moments(other)
		r := correlation(logw, other)
		if spread > leastSeen && spreadOther > leastSeen && r < opposed {
			return fmt.Errorf("log-weights by -%s (%s) and by -%s (%s) run against each other (correlation %.2f, "+
				"rms difference %.2g kT): one of them has the wrong sign, or is of other variables",
				first.flag, first.path, s.flag, s.path, r, rms)
		}
		text := fmt.Sprintf("log-weights by -%s, which are kept, and by -%s differ by %.2g kT rms, %.2g at most, "+
			"up to a constant (they spread by %.2g and %.2g)",
			first.flag, s.flag, rms, most, spread, spreadOther)
		const early = "a bias that still grew differs so from the final one: leave out its first part (-skip)"
		switch {
		case otherVariables(first.on, s.on):
			text += fmt.Sprintf("; they are of biases on different variables, %s and %s: which one acted? Leave the "+
				"other out (where both did, a COLVAR's columns are added: -bias-column a.bias,b.bias)",
				variableList(first.on), variableList(s.on))
		case rms > alike && r >= grown:
			text += "; that is much: " + early
		case rms > alike:
			text += fmt.Sprintf("; that is much, and they go together little (correlation %.2f): either one of them "+
				"is of another run, of other variables or in another unit, or %s", r, early)
		}
		im.note("%s", text)
	}
	return nil
}

// otherVariables tells whether one of two biases is on a function of atoms that the other is not on. What is a column
// of a COLVAR alone may be any.
func otherVariables(a, b []*coordinate) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	known := func(c *coordinate) bool { return c.atoms != nil }
	missing := func(a, b []*coordinate) bool {
		return slices.ContainsFunc(a, func(c *coordinate) bool {
			return !slices.ContainsFunc(b, func(o *coordinate) bool {
				return c.name == o.name || !known(c) || !known(o) ||
					c.kind == o.kind && c.axis == o.axis && slices.Equal(c.atoms, o.atoms)
			})
		})
	}
	return len(a) != len(b) || missing(a, b) || missing(b, a)
}

// variableList are the names of variables.
func variableList(of []*coordinate) string {
	var names []string
	for _, c := range of {
		names = append(names, c.name)
	}
	return strings.Join(names, " and ")
}

// moments are the mean and the standard deviation.
func moments(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(deviation)
}

// correlation is 0 where one of them is constant.
func correlation(x, y []float64) float64 {
	a, sx := moments(x)
	b, sy := moments(y)
	if sx == 0 || sy == 0 {
		return 0
	}
	sum := 0.0
	for i := range x {
		sum += (x[i] - a) * (y[i] - b) / float64(len(x))
	}
	return sum / (sx * sy)
}

// describeBias is what the description says of the bias.
func (im *importer) describeBias(m data.Meta) data.Meta {
	text := im.Biased
	if im.ownWeights {
		var names []string
		for _, path := range im.Trajectories {
			names = append(names, filepath.Base(path))
		}
		text = fmt.Sprintf("weights of its own, array %s of %s, of SHA-256 %s", npz.KeyLogW, strings.Join(names, ", "),
			m.SourceSHA)
		if im.Biased != "" {
			text += ", " + im.Biased
		}
	}
	if len(im.sources) > 0 {
		s := im.sources[0]
		text = "weights by -" + s.flag
		for _, note := range []string{im.BiasColumn, im.BiasVariables} {
			if note != "" {
				text += ", " + note
			}
		}
		text += ", file of SHA-256 " + im.biasSum
	}
	return m.With(data.KeyBias, text)
}
