package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/plumed"
)

// colvar is a file of values in time.
type colvar struct {
	table *plumed.Table
	times *series
}

// readColvar reads the file of values in time, for variables and biases.
func (im *importer) readColvar() error {
	t, err := plumed.ReadTable(im.colvar)
	if err != nil {
		return err
	}
	if t.Names[0] != "time" || t.Has("height") {
		return fmt.Errorf("%s: its columns are %s: no values in time (COLVAR), which PRINT writes", im.colvar,
			strings.Join(t.Names, ", "))
	}
	time, err := t.Column("time")
	if err != nil {
		return fmt.Errorf("%s: %w", im.colvar, err)
	}
	if im.input != nil && im.input.Time != 1 {
		time = slices.Clone(time)
		for i := range time {
			time[i] *= im.input.Time
		}
	}
	s, err := newSeries(im.colvar, time)
	if err != nil {
		return err
	}
	im.values = &colvar{t, s}
	return nil
}

// column is a variable that the COLVAR has, or nil.
func (im *importer) column(name string) *coordinate {
	if im.values == nil || !im.values.table.Has(name) {
		return nil
	}
	x, err := im.values.table.Column(name)
	if err != nil {
		return nil
	}
	return &coordinate{name: name, axis: -1, length: 1, column: x, times: im.values.times}
}

// biasColumns are the columns of biases that -bias-column names, or the only one there is; none where the file is for
// variables.
func (im *importer) biasColumns() (names []string, err error) {
	t := im.values.table
	ending := func(name string) bool { return strings.HasSuffix(name, ".bias") || strings.HasSuffix(name, ".rbias") }
	if im.biasColumn == "" {
		for _, name := range t.Names {
			if ending(name) {
				names = append(names, name)
			}
		}
		switch {
		case len(names) == 1:
			return names, nil
		case len(im.order) > 1: // another source gives the weights
			if len(names) > 1 {
				im.note("%s has the biases %s: -bias-column says which are to be compared", im.colvar,
					strings.Join(names, ", "))
			}
			return nil, nil
		case len(names) == 0:
			return nil, fmt.Errorf("its columns are %s: which is the bias? Give -bias-column NAME",
				strings.Join(t.Names, ", "))
		}
		return nil, fmt.Errorf("it has the biases %s: which is it? Give -bias-column NAME (metad.rbias is "+
			"metad.bias less what all places share; names with commas between are added)", strings.Join(names, ", "))
	}
	for word := range strings.SplitSeq(im.biasColumn, ",") {
		n := len(names)
		for _, name := range t.Names[1:] {
			if ok, err := path.Match(strings.TrimSpace(word), name); err != nil {
				return nil, fmt.Errorf("%w: -bias-column %s: %w", errUsage, im.biasColumn, err)
			} else if ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == n {
			return nil, fmt.Errorf("%w: -bias-column %s: %s has no column %s; it has %s", errUsage, im.biasColumn,
				im.colvar, word, strings.Join(t.Names, ", "))
		}
	}
	for _, name := range names {
		if label, ok := strings.CutSuffix(name, ".bias"); ok && slices.Contains(names, label+".rbias") {
			return nil, fmt.Errorf("%w: -bias-column %s: %s and %[3]s.rbias are one bias, and would count twice",
				errUsage, im.biasColumn, name, label)
		}
	}
	return names, nil
}

// readBiasColumn reads the bias of the COLVAR's rows: ln w = V/kT.
func (im *importer) readBiasColumn(*finder) (func(*biasFrame) (float64, error), error) {
	names, err := im.biasColumns()
	if err != nil || names == nil {
		return nil, err
	}
	var columns [][]float64
	for _, name := range names {
		x, err := im.values.table.Column(name)
		if err != nil {
			return nil, err
		}
		columns = append(columns, x)
	}
	beta, err := im.beta(im.colvar)
	if err != nil {
		return nil, err
	}
	im.biasColumn = strings.Join(names, ",")
	if im.values.table.Headers > 1 {
		im.note("%s is of %d parts of a run: where times stand twice, the later ones count", im.colvar,
			im.values.table.Headers)
	}
	return func(f *biasFrame) (float64, error) {
		row, err := im.values.times.row0(f)
		if err != nil {
			return 0, err
		}
		sum := 0.0
		for _, x := range columns {
			sum += x[row]
		}
		return sum * beta, nil
	}, nil
}
