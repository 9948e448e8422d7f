package display

import (
	"errors"
	"fmt"
	"html"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cgbg-go/lab/cgbg/result"
)

// Option adds what is known about a result.
type Option func(*result.Entry)

// Error gives a result's standard error.
func Error(e float64) Option { return func(r *result.Entry) { r.Error = result.Finite(e) } }

// Floor gives the value that a perfect model would have reached with as many samples.
func Floor(f float64) Option { return func(r *result.Entry) { r.Floor = result.Finite(f) } }

// Unit gives a result's unit; "" for none.
func Unit(u string) Option {
	return func(r *result.Entry) {
		if r.Unit = &u; u == "" {
			r.Unit = nil
		}
	}
}

// N gives the number of samples a result rests on; 0 for none.
func N(n int) Option {
	return func(r *result.Entry) {
		if r.N = &n; n == 0 {
			r.N = nil
		}
	}
}

// Result shows a number, a string or a bool with its error and floor, and records it in the run's results.json, a JSON
// array of {"name", "value", "error", "floor", "unit", "n"}. A result of the same name is replaced in its place.
// Numbers are written with all their digits, so that equal runs give equal files. Without a run's folder it is only
// shown.
func Result(name string, value any, options ...Option) error {
	e, err := newEntry(name, value, options)
	if err != nil {
		return err
	}
	if err := record(e); err != nil {
		return err
	}
	label, text := e.Name, inWords(e)
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
	entries, err := result.Read(filepath.Join(dir, result.FileName))
	if err != nil {
		return err
	}
	showResults(slices.DeleteFunc(entries, func(e result.Entry) bool { return !wanted(e.Name, names) }), false)
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

func newEntry(name string, value any, options []Option) (result.Entry, error) {
	e := result.Entry{Name: name}
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

// inWords is the result in words: "0.0123 ± 0.0004 kT (floor 0.0101, n = 10000)".
func inWords(e result.Entry) string {
	s := fmt.Sprint(cellOf(e))
	if x, ok := cellOf(e).(float64); ok {
		s = result.Plain(x)
	}
	if unit := deref(e.Unit); unit != "" {
		s += " " + unit
	}
	var more []string
	if e.Floor != nil {
		more = append(more, "floor "+result.Plain(*e.Floor))
	}
	if e.N != nil {
		more = append(more, fmt.Sprintf("n = %d", *e.N))
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// cellOf is the value for a table: a result.Measured if there is an error.
func cellOf(e result.Entry) any {
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

func floorOf(e result.Entry) any {
	if e.Floor == nil {
		return nil
	}
	return *e.Floor
}

func countOf(e result.Entry) any {
	if e.N == nil {
		return nil
	}
	return *e.N
}

var recording sync.Mutex // goroutines of one cell; cells run one after the other

func record(entries ...result.Entry) error {
	dir := RunDir()
	if dir == "" {
		return nil
	}
	recording.Lock()
	defer recording.Unlock()
	path := filepath.Join(dir, result.FileName)
	list, err := result.Read(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		list = result.Add(list, e)
	}
	if err := result.Write(path, list); err != nil {
		return fmt.Errorf("display: recording results in %s: %w", path, err)
	}
	return nil
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
