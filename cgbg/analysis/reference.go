package analysis

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Source loads frames.
type Source = func() (*data.Frames, data.Meta, error)

// studied is what takes long to find in a reference: of every set its statistical inefficiency and the populations of
// states, and what is found of all.
type studied struct {
	Correlated  []float64
	Populations [][]reweight.Estimate
	Pooled      []reweight.Estimate
	Floor       observable.Scores
}

// OpenReference studies simulations as [NewSet] does, and pools them by [Pool]. What takes long to find is kept in the
// folder dir, under the fingerprint of question, frames and options; "": nowhere.
//
// Errors: those of the simulations, of NewSet and of Pool.
func OpenReference(dir string, q *Question, o Options, title string, crossing, others []Source) (*Set, error) {
	var sets []*Set
	inputs := []any{o.Every, o.Seed, len(crossing), Bootstraps, FloorRepeats, minDataBlocks}
	if q.Split != nil {
		inputs = append(inputs, q.Split.State)
	}
	if len(q.Scored) > 0 {
		inputs = append(inputs, q.Scored[0].Variables)
	}
	for _, load := range slices.Concat(crossing, others) {
		f, meta, err := load()
		if err != nil {
			return nil, err
		}
		s, err := newSet(q, Options{Name: meta.Source, Seed: o.Seed, Every: o.Every}, f, f.LogW, meta)
		if err != nil {
			return nil, err
		}
		sets, inputs = append(sets, s), append(inputs, data.Sum(f, meta), s.sum())
	}
	var known studied
	var pooled *Set
	find := func() (err error) {
		pooled, err = study(o.Seed, o.Name, title, sets, len(crossing), &known)
		return err
	}
	if dir == "" {
		return pooled, find()
	}
	fingerprint := keep.Fingerprint(inputs...)
	path := filepath.Join(dir, fmt.Sprintf("%s-%.16s.json", o.Name, fingerprint))
	err := keep.JSON(path, fingerprint, &known, find)
	var unsupported *json.UnsupportedValueError
	if errors.As(err, &unsupported) && pooled != nil { // a floor that is not known, NaN, cannot be kept
		err = nil
	}
	if err != nil || pooled != nil {
		return pooled, err
	}
	for k, s := range sets {
		s.correlate(known.Correlated[k])
		s.Populations = known.Populations[k]
	}
	if pooled, err = pool(o.Name, title, sets[:len(crossing)], sets[len(crossing):]); err != nil {
		return nil, err
	}
	pooled.Populations, pooled.Floor = known.Pooled, known.Floor
	return pooled, nil
}

// sum stands for what the question finds in the frames: of a variable made in Go no text says what it is.
func (s *Set) sum() string {
	h := sha256.New()
	for k, x := range s.Values {
		binary.Write(h, binary.LittleEndian, x) // a hash takes all
		fmt.Fprint(h, s.Axes[k])
	}
	for _, in := range s.In {
		binary.Write(h, binary.LittleEndian, in)
	}
	return string(h.Sum(nil))
}

// study finds what takes long in sets, and pools them.
func study(seed int, name, title string, sets []*Set, crossing int, found *studied) (*Set, error) {
	*found = studied{}
	for _, s := range sets {
		s.correlate(s.slowest())
		if err := s.populate(Rng(seed, streamSet)); err != nil {
			return nil, err
		}
		found.Correlated = append(found.Correlated, s.Correlated)
		found.Populations = append(found.Populations, s.Populations)
	}
	pooled, err := Pool(seed, name, title, sets[:crossing], sets[crossing:])
	if err == nil {
		found.Pooled, found.Floor = pooled.Populations, pooled.Floor
	}
	return pooled, err
}
