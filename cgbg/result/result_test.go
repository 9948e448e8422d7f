package result

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A file holds what was written, digit for digit; what is not finite or not told is null, and words are values.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	list := Behind("run/a", []Result{New("js", 0.30000000000000004, 1e-17, None, "nat", 300),
		Words("verdict", "reliable <0.7 & more"),
		New("ess", math.Inf(1), math.Inf(-1), 0, "", 0)})
	if err := Write(path, Entries(list)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `[
  {"name":"run/a/js","value":0.30000000000000004,"error":1e-17,"floor":null,"unit":"nat","n":300},
  {"name":"run/a/verdict","value":"reliable <0.7 & more","error":null,"floor":null,"unit":null,"n":null},
  {"name":"run/a/ess","value":null,"error":null,"floor":0,"unit":null,"n":null}
]
`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	entries, err := Read(path)
	if err != nil || len(entries) != 3 || entries[0].Value != json.Number("0.30000000000000004") ||
		entries[2].Value != nil {
		t.Fatalf("got %+v, %v", entries, err)
	}
	if err := Write(path, entries); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != want {
		t.Errorf("written again: got\n%s\n%v", again, err)
	}
}

// An entry takes the place of that of its name, or comes last.
func TestAdd(t *testing.T) {
	entries := Entries([]Result{New("a", 1, None, None, "", 0), New("b", 2, None, None, "", 0)})
	entries = Add(entries, Words("a", "new").Entry())
	entries = Add(entries, New("c", 3, None, None, "", 0).Entry())
	var got []any
	for _, e := range entries {
		got = append(got, e.Name, e.Value)
	}
	if want := []any{"a", "new", "b", 2., "c", 3.}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A file that is not there has no results; one that is none says what to do, and what JSON cannot hold is not written.
func TestFileErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if entries, err := Read(path); entries != nil || err != nil {
		t.Errorf("no file: got %v, %v", entries, err)
	}
	if err := Write(path, []Entry{{Name: "x", Value: math.NaN()}}); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("NaN: got %v", err)
	}
	if err := os.WriteFile(path, []byte("[{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "run again") {
		t.Errorf("half a file: got %v", err)
	}
}
