package display

import (
	"fmt"
	"html"
	"strings"
	"unicode"

	"github.com/cgbg-go/lab/cgbg/result"
)

// Table is a table of text and numbers; numbers of a column are aligned on their decimal points.
type Table struct {
	columns []string
	rows    [][]cell
}

// cell is a cell's text. A number's is cut at the decimal point and before the error.
type cell struct {
	text            string
	number          bool
	left, mid, tail string // "12", ".34" or ".34e-6", " ± 0.05"
}

// NewTable returns an empty table with those column heads.
func NewTable(columns ...string) *Table { return &Table{columns: columns} }

// Row adds a row and returns the table. A cell is a [result.Measured], a Go number, or anything else, shown as fmt
// does. Missing cells stay empty; cells beyond the last column head get a column without one.
func (t *Table) Row(cells ...any) *Table {
	row := make([]cell, len(cells))
	for i, c := range cells {
		row[i] = newCell(c)
	}
	t.rows = append(t.rows, row)
	return t
}

// Show displays the table.
func (t *Table) Show() { show(content{plain: t.String(), html: t.HTML()}) }

func newCell(v any) cell {
	var s string
	switch x := v.(type) {
	case result.Measured:
		s = x.String()
	case float64:
		s = result.Plain(x)
	case float32:
		s = result.Plain(float64(x))
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		s = fmt.Sprint(x)
	case nil:
		return cell{}
	default:
		return cell{text: fmt.Sprint(x)}
	}
	c := cell{text: s, number: true, left: s}
	if i := strings.Index(s, " ± "); i >= 0 {
		c.left, c.tail = s[:i], s[i:]
	}
	if i := strings.IndexAny(c.left, ".e"); i >= 0 {
		c.left, c.mid = c.left[:i], c.left[i:]
	}
	return c
}

// layout is the widths of a column's parts, in characters.
type layout struct {
	left, mid, tail, width int
	numeric                bool
}

func (t *Table) layouts() []layout {
	n := len(t.columns)
	for _, row := range t.rows {
		n = max(n, len(row))
	}
	columns := make([]layout, n)
	for i := range columns {
		l := &columns[i]
		for _, row := range t.rows {
			if i >= len(row) {
				continue
			}
			if c := row[i]; c.number {
				l.numeric = true
				l.left, l.mid, l.tail = max(l.left, width(c.left)), max(l.mid, width(c.mid)), max(l.tail, width(c.tail))
			} else {
				l.width = max(l.width, width(c.text))
			}
		}
		l.width = max(l.width, l.left+l.mid+l.tail, width(t.head(i)))
	}
	return columns
}

func (t *Table) head(i int) string {
	if i < len(t.columns) {
		return t.columns[i]
	}
	return ""
}

// aligned pads a number's parts so that decimal points line up.
func (c cell) aligned(l layout) string {
	const blank = " "
	if !c.number {
		return c.text
	}
	return strings.Repeat(blank, l.left-width(c.left)) + c.left +
		c.mid + strings.Repeat(blank, l.mid-width(c.mid)) +
		c.tail + strings.Repeat(blank, l.tail-width(c.tail))
}

// String returns the table as plain text, with a rule under the heads.
func (t *Table) String() string {
	columns := t.layouts()
	var b strings.Builder
	line := func(cells func(i int, l layout) (text string, right bool)) {
		var s strings.Builder
		for i, l := range columns {
			text, right := cells(i, l)
			pad := strings.Repeat(" ", l.width-width(text))
			if right {
				text = pad + text
			} else {
				text += pad
			}
			if i > 0 {
				s.WriteString("  ")
			}
			s.WriteString(text)
		}
		b.WriteString(strings.TrimRight(s.String(), " ") + "\n")
	}
	line(func(i int, l layout) (string, bool) { return t.head(i), l.numeric })
	line(func(_ int, l layout) (string, bool) { return strings.Repeat("─", l.width), false })
	for _, row := range t.rows {
		line(func(i int, l layout) (string, bool) {
			if i >= len(row) {
				return "", false
			}
			return row[i].aligned(l), row[i].number
		})
	}
	return b.String()
}

// HTML returns the table as an HTML element. Numbers are in letters of one width, which keep the decimal points in
// line; text may take several lines.
func (t *Table) HTML() string {
	const words, numbers = "text-align: left", "text-align: right; font-family: monospace; white-space: pre"
	columns := t.layouts()
	var b strings.Builder
	write := func(tag, text string, l layout) {
		style := words
		if l.numeric {
			style = numbers
		}
		fmt.Fprintf(&b, `<%s style="%s">%s</%s>`, tag, style, html.EscapeString(text), tag)
	}
	b.WriteString("<table><thead><tr>")
	for i, l := range columns {
		write("th", t.head(i), l)
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range t.rows {
		b.WriteString("<tr>")
		for i, l := range columns {
			text := ""
			if i < len(row) {
				text = row[i].aligned(l)
			}
			write("td", text, l)
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

// width is the number of columns that s takes; an accent that is put on the letter before it, as in k̂, takes none.
func width(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}
