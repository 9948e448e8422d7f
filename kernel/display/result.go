package display

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/cgbg-go/lab/cgbg/keep"
)

// ResultsFile is the name of the file with a run's numbers, below its folder.
const ResultsFile = "results.json"

// entry is one element of results.json. A field is null where there is none or it is not finite.
type entry struct {
	Name  string   `json:"name"`
	Value any      `json:"value"`
	Error *float64 `json:"error"`
	Floor *float64 `json:"floor"`
	Unit  *string  `json:"unit"`
	N     *int     `json:"n"`
}

// Option adds what is known about a result.
type Option func(*entry)

// Error gives a result's standard error.
func Error(e float64) Option { return func(r *entry) { r.Error = number(e) } }

// Floor gives the value that a perfect model would have reached with as many samples.
func Floor(f float64) Option { return func(r *entry) { r.Floor = number(f) } }

// Unit gives a result's unit; "" for none.
func Unit(u string) Option {
	return func(r *entry) {
		if r.Unit = &u; u == "" {
			r.Unit = nil
		}
	}
}

// N gives the number of samples a result rests on; 0 for none.
func N(n int) Option {
	return func(r *entry) {
		if r.N = &n; n == 0 {
			r.N = nil
		}
	}
}

// Result shows a number, a string or a bool with its error and floor, and records it in the run's results.json, a JSON
// array of {"name", "value", "error", "floor", "unit", "n"}. A result of the same name is replaced in its place. Numbers
// are written with all their digits, so that equal runs give equal files. Without a run's folder it is only shown.
func Result(name string, value any, options ...Option) error {
	e, err := newEntry(name, value, options)
	if err != nil {
		return err
	}
	if err := record(e); err != nil {
		return err
	}
	label, text := e.Name, e.String()
	show(content{
		plain: label + " = " + text,
		html:  fmt.Sprintf("<code>%s</code> = %s", html.EscapeString(label), html.EscapeString(text)),
	})
	return nil
}

// Record records a result as Result does and shows nothing.
func Record(name string, value any, options ...Option) error {
	e, err := newEntry(name, value, options)
	if err != nil {
		return err
	}
	return record(e)
}

// Summary shows the recorded results of those names as one table; a name that ends in "/" stands for all that begin
// with it, no names for all. Without a run's folder nothing is recorded, and it says so.
func Summary(names ...string) error {
	dir := RunDir()
	if dir == "" {
		show(content{plain: "no results: " + RunDirEnv + " names no folder to record them in"})
		return nil
	}
	entries, err := readResults(filepath.Join(dir, ResultsFile))
	if err != nil {
		return err
	}
	t := NewTable("result", "value", "floor", "unit", "n")
	for _, e := range entries {
		if wanted(e.Name, names) {
			t.Row(e.Name, e.cell(), e.floorCell(), deref(e.Unit), e.nCell())
		}
	}
	t.Show()
	return nil
}

func wanted(name string, names []string) bool {
	for _, want := range names {
		if name == want || strings.HasSuffix(want, "/") && strings.HasPrefix(name, want) {
			return true
		}
	}
	return len(names) == 0
}

func newEntry(name string, value any, options []Option) (entry, error) {
	e := entry{Name: name}
	if name == "" {
		return e, errors.New("display: a result without a name")
	}
	v := reflect.ValueOf(value)
	switch {
	case !v.IsValid(): // nil: there is no value
	case v.Kind() == reflect.Float32: // its own digits, not those of the float64 it becomes
		x, _ := strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', -1, 32), 64)
		e.Value = finiteOrNil(x)
	case v.CanFloat():
		e.Value = finiteOrNil(v.Float())
	case v.CanInt():
		e.Value = v.Int()
	case v.CanUint():
		e.Value = v.Uint()
	case v.Kind() == reflect.String:
		e.Value = v.String()
	case v.Kind() == reflect.Bool:
		e.Value = v.Bool()
	default:
		return e, fmt.Errorf("display: result %s: a value of type %T; want a number, a string or a bool", name, value)
	}
	for _, option := range options {
		option(&e)
	}
	return e, nil
}

// String is the result in words: "0.0123 ± 0.0004 kT (floor 0.0101, n = 10000)".
func (e entry) String() string {
	s := fmt.Sprint(e.cell())
	if x, ok := e.cell().(float64); ok {
		s = plain(x)
	}
	if unit := deref(e.Unit); unit != "" {
		s += " " + unit
	}
	var more []string
	if e.Floor != nil {
		more = append(more, "floor "+plain(*e.Floor))
	}
	if e.N != nil {
		more = append(more, fmt.Sprintf("n = %d", *e.N))
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// cell is the value for a table: a Number if there is an error.
func (e entry) cell() any {
	if e.Value == nil {
		return "–"
	}
	var x float64
	switch v := e.Value.(type) {
	case string, bool:
		return v
	default: // the number types of newEntry, or json.Number
		var err error
		if x, err = strconv.ParseFloat(fmt.Sprint(v), 64); err != nil {
			return v
		}
	}
	if e.Error != nil {
		return PlusMinus(x, *e.Error)
	}
	return x
}

func (e entry) floorCell() any {
	if e.Floor == nil {
		return nil
	}
	return *e.Floor
}

func (e entry) nCell() any {
	if e.N == nil {
		return nil
	}
	return *e.N
}

var recording sync.Mutex // goroutines of one cell; cells run one after the other

func record(e entry) error {
	dir := RunDir()
	if dir == "" {
		return nil
	}
	recording.Lock()
	defer recording.Unlock()
	path := filepath.Join(dir, ResultsFile)
	entries, err := readResults(path)
	if err != nil {
		return err
	}
	at := len(entries)
	for i := range entries {
		if entries[i].Name == e.Name {
			at = i
		}
	}
	entries = append(entries[:at:at], append([]entry{e}, entries[min(at+1, len(entries)):]...)...)
	out := []byte("[\n")
	for i, e := range entries {
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("display: result %s: %w", e.Name, err)
		}
		out = append(append(out, "  "...), bytes.TrimRight(line.Bytes(), "\n")...)
		if i < len(entries)-1 {
			out = append(out, ',')
		}
		out = append(out, '\n')
	}
	if err := keep.WriteFile(path, append(out, "]\n"...)); err != nil {
		return fmt.Errorf("display: recording result %s in %s: %w", e.Name, path, err)
	}
	return nil
}

// readResults reads results.json; a file that is not there has none. Numbers keep their digits.
func readResults(path string) ([]entry, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("display: reading results: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var entries []entry
	if err := dec.Decode(&entries); err != nil {
		return nil, fmt.Errorf("display: reading %s: %w; delete it and run the notebook again", path, err)
	}
	return entries, nil
}

func number(x float64) *float64 {
	if !finite(x) {
		return nil
	}
	return &x
}

func finiteOrNil(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
