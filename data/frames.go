// Package data holds molecular frames and keeps them in Arrow files.
//
// A file is an Arrow IPC file (with footer; zstd), one row per frame: R and F
// as fixed-size lists of float32, [beads*dim], and optionally box, bias, logw,
// logq, u. The schema's metadata says what the frames are and in which units
// ([Meta]). Files are written to a temporary name and renamed when they are
// whole and on the disk. A SHA-256 of the whole file stands in its metadata, so
// that a reader meets either what was written or an error.
//
// Units: nm, kJ/mol/nm, kJ/mol, ps, K; systems without them say "reduced".
package data

import (
	"errors"
	"fmt"
	"math"
)

// Frames are frames of one system in time order. Optional parts are nil.
type Frames struct {
	Beads, Dim int       // a frame has Beads*Dim coordinates
	R          []float32 // positions, [n, beads, dim], nm
	F          []float32 // forces, [n, beads, dim], kJ/mol/nm
	Box        []float32 // box vectors, [n, 3, 3], nm
	Bias       []float64 // bias energy that acted on the frame, [n], kJ/mol
	LogW       []float64 // log-weight of the frame, [n], nats
	LogQ       []float64 // log-density of the flow that made it, [n], nats
	U          []float64 // potential (of mean force), [n], kJ/mol
}

// Width is the number of coordinates of a frame.
func (f *Frames) Width() int { return f.Beads * f.Dim }

// Len is the number of frames.
func (f *Frames) Len() int {
	if f.Width() == 0 {
		return 0
	}
	return len(f.R) / f.Width()
}

// Slice returns frames i to j, j excluded, sharing memory with f.
func (f *Frames) Slice(i, j int) *Frames {
	out := &Frames{Beads: f.Beads, Dim: f.Dim}
	for k, c := range f.columns() {
		switch dst := out.columns()[k].values.(type) {
		case *[]float32:
			if src := *c.values.(*[]float32); src != nil {
				*dst = src[i*c.width : j*c.width]
			}
		case *[]float64:
			if src := *c.values.(*[]float64); src != nil {
				*dst = src[i:j]
			}
		}
	}
	return out
}

// Append adds the frames of g, which must have the same parts as f; an empty f
// takes over the shape of g.
func (f *Frames) Append(g *Frames) {
	if f.R == nil {
		f.Beads, f.Dim = g.Beads, g.Dim
	}
	for k, c := range f.columns() {
		switch dst := c.values.(type) {
		case *[]float32:
			*dst = append(*dst, *g.columns()[k].values.(*[]float32)...)
		case *[]float64:
			*dst = append(*dst, *g.columns()[k].values.(*[]float64)...)
		}
	}
}

// column is one part of the frames: name in the file, numbers per frame, and a
// pointer to its slice.
type column struct {
	name   string
	width  int // 0: a scalar column of float64
	values any // *[]float32 or *[]float64
}

func (f *Frames) columns() []column {
	return []column{
		{"R", f.Width(), &f.R}, {"F", f.Width(), &f.F}, {"box", 9, &f.Box},
		{"bias", 0, &f.Bias}, {"logw", 0, &f.LogW}, {"logq", 0, &f.LogQ}, {"u", 0, &f.U},
	}
}

// present lists the names of the parts that are there.
func (f *Frames) present() []string {
	var names []string
	for _, c := range f.columns() {
		switch v := c.values.(type) {
		case *[]float32:
			if *v != nil {
				names = append(names, c.name)
			}
		case *[]float64:
			if *v != nil {
				names = append(names, c.name)
			}
		}
	}
	return names
}

// ErrNonFinite reports a NaN or an infinity among the numbers of a frame.
var ErrNonFinite = errors.New("not a finite number")

// Check verifies that all parts have the same number of frames and only finite
// numbers; −Inf is allowed as a log-weight (a dropped sample). first is the
// number of the first frame, for messages.
func (f *Frames) Check(first int) error {
	if f.Beads <= 0 || f.Dim <= 0 || len(f.R) == 0 || len(f.R)%f.Width() != 0 {
		return fmt.Errorf("%d numbers in R are no frames of %d beads in %d dimensions", len(f.R), f.Beads, f.Dim)
	}
	n := f.Len()
	for _, c := range f.columns() {
		var length, width int
		at := func(i int) float64 { return 0 }
		switch v := c.values.(type) {
		case *[]float32:
			length, width = len(*v), c.width
			at = func(i int) float64 { return float64((*v)[i]) }
		case *[]float64:
			length, width = len(*v), 1
			at = func(i int) float64 { return (*v)[i] }
		}
		if length == 0 {
			continue
		}
		if length != n*width {
			return fmt.Errorf("%s has %d numbers, not %d for %d frames", c.name, length, n*width, n)
		}
		for i := range length {
			x := at(i)
			if math.IsNaN(x) || math.IsInf(x, 0) && !(c.name == "logw" && x < 0) {
				return fmt.Errorf("frame %d, %s[%d] = %g: %w; remove the frame", first+i/width, c.name, i%width, x,
					ErrNonFinite)
			}
		}
	}
	return nil
}
