package trajectory

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data/plumed"
)

// colvar is a file of values in time.
type colvar struct {
	table *plumed.Table
	times *series
}

// readColvar reads the file of values in time, for variables and biases.
func (im *importer) readColvar() error {
	t, err := plumed.ReadTable(im.Weights.File("colvar"))
	if err != nil {
		return err
	}
	if t.Names[0] != "time" || t.Has("height") {
		return fmt.Errorf("%s: its columns are %s: no values in time (COLVAR), which PRINT writes",
			im.Weights.File("colvar"),
			strings.Join(t.Names, ", "))
	}
	time, err := t.Column("time")
	if err != nil {
		return fmt.Errorf("%s: %w", im.Weights.File("colvar"), err)
	}
	if im.input != nil && im.input.Time != 1 {
		time = slices.Clone(time)
		for i := range time {
			time[i] *= im.input.Time
		}
	}
	s, err := newSeries(im.Weights.File("colvar"), time)
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
	if im.BiasColumn == "" {
		for _, name := range t.Names {
			if ending(name) {
				names = append(names, name)
			}
		}
		switch {
		case len(names) == 1:
			return names, nil
		case len(im.Weights) > 1: // another source gives the weights
			if len(names) > 1 {
				im.note("%s has the biases %s: -bias-column says which are to be compared", im.Weights.File("colvar"),
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
	for word := range strings.SplitSeq(im.BiasColumn, ",") {
		n := len(names)
		for _, name := range t.Names[1:] {
			if ok, err := path.Match(strings.TrimSpace(word), name); err != nil {
				return nil, fmt.Errorf("%w: -bias-column %s: %w", cli.ErrUsage, im.BiasColumn, err)
			} else if ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == n {
			return nil, fmt.Errorf("%w: -bias-column %s: %s has no column %s; it has %s", cli.ErrUsage, im.BiasColumn,
				im.Weights.File("colvar"), word, strings.Join(t.Names, ", "))
		}
	}
	for _, name := range names {
		if label, ok := strings.CutSuffix(name, ".bias"); ok && slices.Contains(names, label+".rbias") {
			return nil, fmt.Errorf("%w: -bias-column %s: %s and %[3]s.rbias are one bias, and would count twice",
				cli.ErrUsage, im.BiasColumn, name, label)
		}
	}
	return names, nil
}

// readBiasColumn reads the bias of the COLVAR's rows: ln w = V/kT.
func (im *importer) readBiasColumn(f *finder) (func(*biasFrame) (float64, error), error) {
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
	beta, err := im.beta(im.Weights.File("colvar"))
	if err != nil {
		return nil, err
	}
	im.BiasColumn = strings.Join(names, ",")
	if im.values.table.Headers > 1 {
		im.note("%s is of %d parts of a run: where times stand twice, the later ones count", im.Weights.File("colvar"),
			im.values.table.Headers)
	}
	same := im.sameRows(f)
	im.ends["colvar"] = func(int) error {
		same.tell(im)
		return nil
	}
	return func(f *biasFrame) (float64, error) {
		row, err := im.values.times.row0(f)
		if err != nil {
			return 0, err
		}
		if err := same.look(im, f, row); err != nil {
			return 0, err
		}
		sum := 0.0
		for _, x := range columns {
			sum += x[row]
		}
		return sum * beta, nil
	}, nil
}

// sameRows compares the variables that both the input defines and the COLVAR has, computed on frames, with its rows.
type sameRows struct {
	of        []*coordinate
	column    [][]float64
	seen, off int
	first     string // that is apart
}

func (im *importer) sameRows(f *finder) *sameRows {
	s := &sameRows{}
	if im.input == nil {
		return s
	}
	for _, name := range im.values.table.Names {
		v, ok := im.input.Variables[name]
		if !ok || v.Why != "" {
			continue
		}
		c, err := f.ofInput(v)
		x, e := im.values.table.Column(name)
		if err == nil && e == nil && c.atoms != nil {
			s.of, s.column = append(s.of, c), append(s.column, x)
		}
	}
	return s
}

// How far a variable of a frame may be from its row: positions are kept to 0.001 nm in some trajectories.
const sameAngle, sameLength = 0.1, 0.02 // rad, nm

func (s *sameRows) look(im *importer, f *biasFrame, row int) error {
	if len(f.r) != 3*im.atoms || len(s.of) == 0 {
		return nil
	}
	s.seen++
	for k, c := range s.of {
		x, err := c.at(im, f)
		if err != nil {
			return err
		}
		d, most := math.Abs(x-s.column[k][row]), sameLength/c.length
		if c.degrees() {
			d, most = math.Abs(math.Remainder(d, 2*math.Pi)), sameAngle
		}
		if d > most {
			if s.off++; s.off == 1 {
				s.first = fmt.Sprintf("%s, where its row has %s", c.show(x), c.show(s.column[k][row]))
			}
			break
		}
	}
	return nil
}

// tell notes where frames and rows are not of one run, or of other variables.
func (s *sameRows) tell(im *importer) {
	if s.off > s.seen/10 {
		im.note("DOUBTFUL WEIGHTS: %d of %d frames are not those of their rows in %s: the first has %s; are both "+
			"of one run, "+
			"with the same times and atoms?", s.off, s.seen, im.Weights.File("colvar"), s.first)
	}
}
