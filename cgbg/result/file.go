package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"

	"github.com/cgbg-go/lab/cgbg/keep"
)

// FileName is the name of the file with a run's results, in its folder.
const FileName = "results.json"

// Entry is a result as it stands in a file. Value is a number, a string or a bool; read from a file, numbers are
// json.Number.
type Entry struct {
	Name  string   `json:"name"`
	Value any      `json:"value"`
	Error *float64 `json:"error"`
	Floor *float64 `json:"floor"`
	Unit  *string  `json:"unit"`
	N     *int     `json:"n"`
}

// Entry is the result as it stands in a file.
func (r Result) Entry() Entry {
	e := Entry{Name: r.Name, Error: Finite(r.Error), Floor: Finite(r.Floor)}
	switch x := Finite(r.Value); {
	case r.Text != "":
		e.Value = r.Text
	case x != nil:
		e.Value = *x
	}
	if r.Unit != "" {
		e.Unit = &r.Unit
	}
	if r.N > 0 {
		e.N = &r.N
	}
	return e
}

// Finite is a number, nil where it is NaN or infinite.
func Finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// Entries are results as they stand in a file.
func Entries(list []Result) []Entry {
	out := make([]Entry, len(list))
	for i, r := range list {
		out[i] = r.Entry()
	}
	return out
}

// Write writes a file of results, one a line, atomically. Errors: a value that JSON cannot hold; those of writing.
func Write(path string, entries []Entry) error {
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, e := range entries {
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("result: %s: %w", e.Name, err)
		}
		out.WriteString("  ")
		out.Write(bytes.TrimRight(line.Bytes(), "\n"))
		if i < len(entries)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	return keep.WriteFile(path, out.Bytes())
}

// Read reads a file of results; one that is not there has none. Numbers keep their digits. Error: a file that is no
// such.
func Read(path string) ([]Entry, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var entries []Entry
	if err := dec.Decode(&entries); err != nil {
		return nil, fmt.Errorf("result: reading %s: %w; delete it and run again", path, err)
	}
	return entries, nil
}

// Add puts an entry into a file's list: in the place of one of the same name, or at the end.
func Add(entries []Entry, e Entry) []Entry {
	for i := range entries {
		if entries[i].Name == e.Name {
			entries[i] = e
			return entries
		}
	}
	return append(entries, e)
}
