package trajectory

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/data"
)

const (
	alike     = 0.5 // rms difference of log-weights, kT, up to which two sources are of one bias, as far as it goes
	opposed   = -0.3
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
		if r := correlation(logw, other); spread > leastSeen && spreadOther > leastSeen && r < opposed {
			return fmt.Errorf("log-weights by -%s (%s) and by -%s (%s) run against each other (correlation %.2f, "+
				"rms difference %.2g kT): one of them has the wrong sign, or is of other variables",
				first.flag, first.path, s.flag, s.path, r, rms)
		}
		text := fmt.Sprintf("log-weights by -%s, which are kept, and by -%s differ by %.2g kT rms, %.2g at most, "+
			"up to a constant (they spread by %.2g and %.2g)",
			first.flag, s.flag, rms, most, spread, spreadOther)
		if rms > alike {
			text += "; that is much: a bias that still grew differs so from the final one: leave out its first " +
				"part (-skip)"
		}
		im.note("%s", text)
	}
	return nil
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

func correlation(x, y []float64) float64 {
	a, sx := moments(x)
	b, sy := moments(y)
	sum := 0.0
	for i := range x {
		sum += (x[i] - a) * (y[i] - b) / float64(len(x))
	}
	return sum / (sx * sy)
}

// describeBias is what the description says of the bias.
func (im *importer) describeBias(m data.Meta) data.Meta {
	text := im.Biased
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
