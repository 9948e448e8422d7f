package analysis

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg/result"
)

// Sets are sets of one question, beside each other.
type Sets []*Set

// Table is a row for each set.
func (l Sets) Table() result.Table {
	t := result.Table{Head: []string{"set", "frames", "effective"}}
	split := l[0].Question.Split
	if split != nil {
		t.Head = append(t.Head, split.Label)
	}
	t.Head = append(t.Head, "JS floor, nat", "PMF error floor")
	for _, s := range l {
		row := []any{s.Title, s.Len(), fmt.Sprintf("%.0f", s.Effective)}
		if split != nil {
			row = append(row, result.Measured{Value: s.Split().Value, Error: s.Split().Error})
		}
		t.Row(append(row, s.Floor.JS.Value, s.Floor.PMFError.Value)...)
	}
	return t
}

// Results are the numbers of all sets.
func (l Sets) Results() (list []result.Result) {
	for _, s := range l {
		list = append(list, s.Results()...)
	}
	return list
}

// Lengths are what the first parts of several simulations know of a reference.
type Lengths struct {
	Reference *Set
	List      []*LengthStudy
}

// Results are the numbers under the names of results.json.
func (l *Lengths) Results() (list []result.Result) {
	for _, s := range l.List {
		for _, p := range s.Points {
			name := fmt.Sprintf("%s/%g_ns", s.Name, p.Time)
			up, js := p.Set.Split(), p.All.Scores.JS
			list = append(list, result.New(name+"/"+l.Reference.Question.Split.In, up.Value, up.Error, result.None, "",
				0),
				result.New(name+"/js", js.Value, js.Error, p.All.Floor.JS.Value, "nat", 0))
		}
	}
	return list
}

// Figures draw the split state's population and the JS divergence against the length.
func (l *Lengths) Figures() ([]result.Figure, error) {
	p, err := lengthFigure(l.Reference, l.List...)
	return []result.Figure{p.Named("length", "population of the rare state and JS divergence against the simulated "+
		"time")}, err
}
