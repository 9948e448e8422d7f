package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/data/plumed"
)

// readHills reads METAD's hills: ln w = V/kT with all of them, or, by -rbias, with those before the frame and less what
// all places share by then.
func (im *importer) readHills(f *finder) (func(*biasFrame) (float64, error), error) {
	h, err := plumed.ReadHills(im.hills)
	if err != nil {
		return nil, err
	}
	of, err := f.find(h.Names)
	if err != nil {
		return nil, err
	}
	for k, c := range of {
		const turn = 2 * math.Pi
		switch p := h.Period(k); {
		case c.kind == plumed.Torsion && math.Abs(p-turn) > 1e-3:
			return nil, fmt.Errorf("its variable %s has the period %g, and %s is a torsion, from -pi to pi",
				h.Names[k], p, c.name)
		case c.kind != "" && c.kind != plumed.Torsion && p > 0:
			return nil, fmt.Errorf("its variable %s closes on itself, and %s is a %s, which does not", h.Names[k],
				c.name, c.kind)
		}
	}
	beta, err := im.beta(im.hills)
	if err != nil {
		return nil, err
	}
	im.noteVariables(f, of)
	if !im.rbias {
		return func(f *biasFrame) (float64, error) {
			x, err := values(im, of, f)
			if err != nil {
				return 0, err
			}
			return h.At(x, math.Inf(1)) * beta, nil
		}, nil
	}
	low, high := im.gridRange(h.Names)
	offset, err := h.Offset(1/beta, low, high)
	if err != nil {
		return nil, err
	}
	unit := 1.0
	if im.input != nil {
		unit = im.input.Time
	}
	early := pace(h.Time) / 100 // a hill of the frame's own time is added after the frame
	return func(f *biasFrame) (float64, error) {
		if f.timed != nil {
			return 0, fmt.Errorf("-rbias takes the hills before the frame's time: %w", f.timed)
		}
		x, err := values(im, of, f)
		if err != nil {
			return 0, err
		}
		before := f.time/unit - early
		return (h.At(x, before) - offset.At(before)) * beta, nil
	}, nil
}

// pace is the time between hills.
func pace(time []float64) float64 {
	sorted := slices.Sorted(slices.Values(time))
	n := len(sorted)
	if n < 2 {
		return 0
	}
	return (sorted[n-1] - sorted[0]) / float64(n-1)
}

// gridRange is that of METAD's grid on these variables, which its rct is taken over.
func (im *importer) gridRange(names []string) (low, high []float64) {
	if im.input == nil {
		return nil, nil
	}
	for _, b := range im.input.Biases {
		if b.Action == "METAD" && slices.Equal(b.Arguments, names) {
			return b.Low, b.High
		}
	}
	return nil, nil
}
