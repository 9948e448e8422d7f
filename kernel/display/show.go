package display

import (
	"fmt"
	"strings"

	"github.com/cgbg-go/lab/cgbg/result"
)

// What a report may have to show. Every one of these is optional.
type (
	tabled   interface{ Table() result.Table }
	measured interface{ Results() []result.Result }
	pictured interface {
		Figures() ([]result.Figure, error)
	}
	worded interface{ Words() string }
)

// Show shows all that reports say, and records their numbers as Record does: a table (their own, or that of their
// results), figures, and words, such as a verdict. Results and figures by themselves, or lists of them, are reports,
// too: of the former nothing is shown but what a table of the report has.
// Errors: those of Figure and of recording; a value that has nothing to show.
func Show(reports ...any) error {
	for _, r := range reports {
		if err := show1(r); err != nil {
			return err
		}
	}
	return nil
}

func show1(r any) error {
	switch x := r.(type) {
	case result.Figure:
		return Figure(x.Name, x.Alt, x.PNG, x.SVG)
	case []result.Figure:
		for _, f := range x {
			if err := show1(f); err != nil {
				return err
			}
		}
		return nil
	case result.Table:
		tableOf(x).Show()
		return nil
	case []result.Result:
		return record(result.Entries(x)...)
	}
	known := false
	t, tables := r.(tabled)
	if tables {
		known = true
		tableOf(t.Table()).Show()
	}
	if m, ok := r.(measured); ok {
		known = true
		list := m.Results()
		if err := record(result.Entries(list)...); err != nil {
			return err
		}
		if !tables {
			_, words := r.(worded)
			showResults(result.Entries(list), words)
		}
	}
	if p, ok := r.(pictured); ok {
		known = true
		figures, err := p.Figures()
		if err != nil {
			return err
		}
		if err := show1(figures); err != nil {
			return err
		}
	}
	if w, ok := r.(worded); ok {
		known = true
		Markdown("**" + w.Words() + "**")
	}
	if !known {
		return fmt.Errorf("display: a %T has nothing to show: no Table, Results, Figures or Words", r)
	}
	return nil
}

// tableOf is a report's table.
func tableOf(t result.Table) *Table {
	out := NewTable(t.Head...)
	for _, row := range t.Rows {
		cells := make([]any, len(row))
		for i, c := range row {
			if m, ok := c.(result.Measured); ok {
				c = PlusMinus(m.Value, m.Error)
			}
			cells[i] = c
		}
		out.Row(cells...)
	}
	return out
}

// mostWords is the number of letters from which a result in words, such as a verdict, stands below a table.
const mostWords = 30

// showResults shows results as a table, and what is long to say below it; not that where a report says it itself.
func showResults(entries []result.Entry, said bool) {
	t := NewTable("result", "value", "floor", "unit", "n")
	var words []string
	for _, e := range entries {
		if text, ok := e.Value.(string); ok && len(text) > mostWords {
			words = append(words, fmt.Sprintf("- `%s`: %s", e.Name, text))
			continue
		}
		t.Row(e.Name, cellOf(e), floorOf(e), deref(e.Unit), countOf(e))
	}
	t.Show()
	if len(words) > 0 && !said {
		Markdown(strings.Join(words, "\n"))
	}
}

// Finish records what every run ends with: the backend where there is one, the preset, the seed and the seconds since
// the kernel started; then it shows all results, or those of the names given, see Summary.
func Finish(backend, preset string, seed int, names ...string) error {
	list := []result.Entry{{Name: "preset", Value: preset}, {Name: "seed", Value: seed}}
	if backend != "" {
		list = append([]result.Entry{{Name: "backend", Value: backend}}, list...)
	}
	seconds, unit := sinceStart(), "s"
	list = append(list, result.Entry{Name: "seconds", Value: seconds, Unit: &unit})
	if err := record(list...); err != nil {
		return err
	}
	return Summary(names...)
}
