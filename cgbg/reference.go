package cgbg

import (
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

// Simulation loads the frames of a simulation.
type Simulation = func() (*data.Frames, data.Meta, error)

// studied is what takes long to find in a reference: of every set its statistical inefficiency and P(φ > 0), and the floor of all.
type studied struct {
	Correlated []float64
	Positive   []reweight.Estimate
	Floor      observable.Scores
}

// OpenReference studies simulations as [NewDataset] does, and pools them by [Pool]. What takes long to find is kept in the folder dir,
// under the fingerprint of the frames, preset and seed; "": nowhere. preset small takes every 20th frame.
//
// Errors: those of the simulations, of NewDataset and of Pool.
func OpenReference(dir, preset string, seed int, name, title string, crossing, others []Simulation) (*Dataset, error) {
	var sets []*Dataset
	inputs := []any{preset, seed, len(crossing), bootstraps, floorRepeats, minDataBlocks}
	for _, load := range slices.Concat(crossing, others) {
		f, meta, err := load()
		if err != nil {
			return nil, err
		}
		d, err := newDataset(preset, meta.Source, "", f, meta)
		if err != nil {
			return nil, err
		}
		sets, inputs = append(sets, d), append(inputs, data.Sum(f, meta))
	}
	var known studied
	var pooled *Dataset
	find := func() (err error) {
		pooled, err = study(seed, name, title, sets, len(crossing), &known)
		return err
	}
	if dir == "" {
		return pooled, find()
	}
	fingerprint := keep.Fingerprint(inputs...)
	err := keep.JSON(filepath.Join(dir, fmt.Sprintf("%s-%.16s.json", name, fingerprint)), fingerprint, &known, find)
	var unsupported *json.UnsupportedValueError
	if errors.As(err, &unsupported) && pooled != nil { // a floor that is not known, NaN, cannot be kept
		err = nil
	}
	if err != nil || pooled != nil {
		return pooled, err
	}
	for k, d := range sets {
		d.correlate(known.Correlated[k])
		d.Positive = known.Positive[k]
	}
	if pooled, err = pool(name, title, sets[:len(crossing)], sets[len(crossing):]); err != nil {
		return nil, err
	}
	pooled.Floor = known.Floor
	return pooled, nil
}

// study finds what takes long in sets, and pools them.
func study(seed int, name, title string, sets []*Dataset, crossing int, found *studied) (*Dataset, error) {
	*found = studied{}
	for _, d := range sets {
		d.correlate(slowest(d.Dihedrals))
		if _, err := d.measurePositive(seed); err != nil {
			return nil, err
		}
		found.Correlated, found.Positive = append(found.Correlated, d.Correlated), append(found.Positive, d.Positive)
	}
	pooled, err := Pool(seed, name, title, sets[:crossing], sets[crossing:])
	if err == nil {
		found.Floor = pooled.Floor
	}
	return pooled, err
}
