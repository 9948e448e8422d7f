package trajectory

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// series finds the row of a file that is of a frame, by their times.
type series struct {
	path   string
	time   []float64 // increasing, ps
	row    []int     // of the file
	stride float64   // between rows, ps
}

// newSeries takes the times of a file's rows. Runs that go on from a checkpoint write times once more: the later ones
// count.
func newSeries(path string, time []float64) (*series, error) {
	s := &series{path: path}
	for i, t := range time {
		if n := len(s.time); n > 2 && t <= s.time[0] {
			return nil, fmt.Errorf("%s: row %d is at %s ps, where the file begins: are these several runs? Import "+
				"each with a file of its own, and merge them",
				path, i+1, decimal(t))
		}
		for n := len(s.time); n > 0 && s.time[n-1] >= t; n-- {
			s.time, s.row = s.time[:n-1], s.row[:n-1]
		}
		s.time, s.row = append(s.time, t), append(s.row, i)
	}
	var gaps []float64
	for i := 1; i < len(s.time); i++ {
		gaps = append(gaps, s.time[i]-s.time[i-1])
	}
	if len(gaps) == 0 {
		return nil, fmt.Errorf("%s: it has one time: values in time have several", path)
	}
	slices.Sort(gaps)
	s.stride = gaps[len(gaps)/2]
	return s, nil
}

// sameTime is how far the times of a frame and its row may be apart, in parts of the time between rows.
const sameTime = 0.02

// find returns the row at a time, ps, that a trajectory keeps in single precision.
func (s *series) find(t float64) (row int, err error) {
	k := sort.SearchFloat64s(s.time, t)
	if k > 0 && (k == len(s.time) || t-s.time[k-1] < s.time[k]-t) {
		k--
	}
	x := float32(math.Abs(t))
	coarse := float64(math.Nextafter32(x, math.MaxFloat32) - x)
	switch off := math.Abs(s.time[k] - t); {
	case off <= sameTime*s.stride:
	case coarse > s.stride/2:
		return 0, fmt.Errorf("its time, %s ps, is kept to %.2g ps, and %s has rows every %.4g ps: which one is of "+
			"it does not show",
			decimal(t), coarse, s.path, s.stride)
	case off > coarse:
		return 0, fmt.Errorf("%s has no row at its time, %s ps (the nearest is at %s ps; rows are from %s to %s "+
			"ps, every %.4g ps): keep frames that have one (-every, -skip)",
			s.path, decimal(t), decimal(s.time[k]), decimal(s.time[0]), decimal(s.time[len(s.time)-1]), s.stride)
	}
	return s.row[k], nil
}
