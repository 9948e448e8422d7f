// Package readme writes the page of the notebooks: its text is a template beside them, its numbers are those that their
// runs recorded, so that no number is copied by hand.
//
// The folder of the notebooks has the template, README.md.tmpl, a file of results for each notebook, results/NN.json
// (package result), and the page made of both, README.md. In the template, "NN" being the number before a notebook's
// name,
//
//	{{value "NN" "obc2/cb/biased/b/ess"}}   a recorded number with its error: 0.560 ± 0.011
//	{{floor "NN" "obc2/cb/biased/b/js"}}    its floor
//	{{score "NN" "obc2/cb/biased/b/js"}}    both: 0.0133 ± 0.0007 (0.0136)
//	{{near "NN" "seconds"}}                 a number without its error, to three digits
//	{{cell "NN" "Figure 2"}}                a cell, by its first comment or its heading, with a link to the notebook
//	{{title "NN" "Figure 2"}}               its title alone
//	{{template "row" (of "NN" "obc2/cb")}}  a part of the template, which sees .nb and .name
//
// A name without a result, a notebook or a cell that is not there are errors.
package readme

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/kernel/nbformat"
)

// Names in the folder of the notebooks.
const (
	Template = "README.md.tmpl"
	Page     = "README.md"
	Results  = "results" // the folder with NN.json
)

// Render is the page that the template in dir gives with the results there. Errors name the place in the template.
func Render(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, Template))
	if err != nil {
		return nil, fmt.Errorf("readme: %w", err)
	}
	b := book{dir: dir, results: map[string][]result.Entry{}, notebooks: map[string]notebook{}}
	t, err := template.New(Template).Funcs(template.FuncMap{
		"value": b.value, "floor": b.floor, "score": b.score, "near": b.near, "cell": b.cell, "title": b.title,
		"of": numberAndName,
	}).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("readme: %w", err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, nil); err != nil {
		return nil, fmt.Errorf("readme: %w", err)
	}
	return page.Bytes(), nil
}

// numberAndName is a notebook's number and the beginning of names, for parts of the template that are used more than
// once.
func numberAndName(number, name string) map[string]string {
	return map[string]string{"nb": number, "name": name}
}

// book is what a template may ask for, read once.
type book struct {
	dir       string
	results   map[string][]result.Entry
	notebooks map[string]notebook
}

type notebook struct {
	file  string
	cells []string // titles
}

// entry finds a result of a notebook.
func (b *book) entry(number, name string) (result.Entry, error) {
	list, ok := b.results[number]
	if !ok {
		path := filepath.Join(b.dir, Results, number+".json")
		var err error
		if list, err = result.Read(path); err != nil {
			return result.Entry{}, err
		}
		if list == nil {
			return result.Entry{}, fmt.Errorf("there are no results %s: run the notebook, then: "+
				"go run ./kernel readme runs/%s_…", path, number)
		}
		b.results[number] = list
	}
	i := slices.IndexFunc(list, func(e result.Entry) bool { return e.Name == name })
	if i < 0 {
		return result.Entry{}, fmt.Errorf("notebook %s has no result %q", number, name)
	}
	return list[i], nil
}

// numberOf is a result as a number with its error, NaN where there is none; ok is false for words.
func numberOf(e result.Entry) (m result.Measured, ok bool) {
	x, err := strconv.ParseFloat(fmt.Sprint(e.Value), 64)
	m = result.Measured{Value: x, Error: math.NaN()}
	if e.Error != nil {
		m.Error = *e.Error
	}
	return m, err == nil
}

// value is a result as package result writes it; words as they are.
func (b *book) value(number, name string) (string, error) {
	e, err := b.entry(number, name)
	if err != nil {
		return "", err
	}
	if m, ok := numberOf(e); ok {
		return m.String(), nil
	}
	if e.Value == nil {
		return "", fmt.Errorf("result %q of notebook %s has no value", name, number)
	}
	return fmt.Sprint(e.Value), nil
}

// floor is that of a result, to the decimal that the result's error has.
func (b *book) floor(number, name string) (string, error) {
	e, err := b.entry(number, name)
	if err != nil {
		return "", err
	}
	if e.Floor == nil {
		return "", fmt.Errorf("result %q of notebook %s has no floor", name, number)
	}
	m, _ := numberOf(e)
	text, _, _ := strings.Cut(result.Measured{Value: *e.Floor, Error: m.Error}.String(), " ± ")
	if strings.HasPrefix(text, "(") { // a power of ten behind both
		return result.Plain(*e.Floor), nil
	}
	return text, nil
}

// score is a result with its floor behind it, in parentheses.
func (b *book) score(number, name string) (string, error) {
	value, err := b.value(number, name)
	if err != nil {
		return "", err
	}
	floor, err := b.floor(number, name)
	return value + " (" + floor + ")", err
}

// near is a number alone, to three significant digits.
func (b *book) near(number, name string) (string, error) {
	e, err := b.entry(number, name)
	if err != nil {
		return "", err
	}
	m, ok := numberOf(e)
	if !ok {
		return "", fmt.Errorf("result %q of notebook %s is no number", name, number)
	}
	x, err := strconv.ParseFloat(strconv.FormatFloat(m.Value, 'g', 3, 64), 64)
	return strconv.FormatFloat(x, 'f', -1, 64), err
}

// cell is a link to a notebook, and the title of one of its cells.
func (b *book) cell(number, title string) (string, error) {
	if _, err := b.title(number, title); err != nil {
		return "", err
	}
	return fmt.Sprintf("[%s](%s) *%s*", number, b.notebooks[number].file, title), nil
}

// title is that of a cell, which is there, and is the only one of that title.
func (b *book) title(number, title string) (string, error) {
	nb, ok := b.notebooks[number]
	if !ok {
		files, err := filepath.Glob(filepath.Join(b.dir, number+"_*.ipynb"))
		if err != nil || len(files) != 1 {
			return "", fmt.Errorf("%d notebooks are numbered %q, want one", len(files), number)
		}
		read, err := nbformat.ReadFile(files[0])
		if err != nil {
			return "", err
		}
		nb = notebook{file: filepath.Base(files[0]), cells: titlesOf(read)}
		b.notebooks[number] = nb
	}
	n := 0
	for _, t := range nb.cells {
		if t == title {
			n++
		}
	}
	switch n {
	case 1:
		return title, nil
	case 0:
		return "", fmt.Errorf("%s has no cell %q; it has %q", nb.file, title, nb.cells)
	default:
		return "", fmt.Errorf("%s has %d cells %q: give them different first comments", nb.file, n, title)
	}
}

// titlesOf are what cells of a notebook are called: the first comment of code, and the headings of text.
func titlesOf(nb *nbformat.Notebook) (titles []string) {
	for _, c := range nb.Cells {
		for _, line := range strings.Split(c.Source, "\n") {
			title, ok := strings.CutPrefix(line, "// ")
			if c.Type == nbformat.Markdown {
				title = strings.TrimLeft(line, "#")
				ok = title != line
			}
			if ok {
				titles = append(titles, strings.TrimSpace(title))
				if c.Type == nbformat.Code {
					break
				}
			}
		}
	}
	return titles
}
