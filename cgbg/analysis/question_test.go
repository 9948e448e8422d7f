package analysis

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// What is scored: the variables that are named first, then each alone, none twice.
func TestNewQuestion(t *testing.T) {
	for _, c := range []struct {
		scored []string
		want   []Group
	}{
		{nil, []Group{{"torsion", []int{0}}, {"end", []int{1}}}},
		{[]string{"end"}, []Group{{"end", []int{1}}, {"torsion", []int{0}}}},
		{[]string{"end", "torsion"}, []Group{{"", []int{1, 0}}, {"torsion", []int{0}}, {"end", []int{1}}}},
	} {
		if q := six(t, c.scored...); !reflect.DeepEqual(q.Scored, c.want) ||
			q.twoDimensional() != (len(c.scored) == 2) {
			t.Errorf("%q: got %+v, want %+v", c.scored, q.Scored, c.want)
		}
	}
	q := six(t)
	for name, scored := range map[string][]string{"nothing": {"nothing"}, "twice": {"end", "end"},
		"three": {"end", "torsion", "end"}} {
		if _, err := NewQuestion(q.Variables, nil, scored...); err == nil ||
			!strings.HasPrefix(err.Error(), "analysis: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	same := append(q.States, q.States[0])
	if _, err := NewQuestion(q.Variables, same); err == nil || !strings.Contains(err.Error(), "plus") {
		t.Errorf("two states of one name: got %v", err)
	}
	named := func(v, s string) error {
		variables, err := ParseVariables("", []Definition{{v, "rg"}})
		if err != nil {
			t.Fatal(err)
		}
		states, err := ParseStates([]Definition{{"plus", v + " > 1"}, {s, v + " < 1"}}, variables)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewQuestion(variables, states)
		return err
	}
	for _, c := range []struct{ variable, state, want string }{
		{"population", "mean", `the variable "population" and the state "mean" would both have the result ` +
			"population/mean"},
		{"population", "js_before", "population/js_before"},
		{"width", "plus_reference", `the state "plus" and the state "plus_reference"`},
		{"population", "minus", ""},
		{"width", "mean", ""},
	} {
		if err := named(c.variable, c.state); (err == nil) != (c.want == "") ||
			err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s and %s: got %v, want %q", c.variable, c.state, err, c.want)
		}
	}
}

// Files that text names are relative to where the text stands.
func TestParseVariables(t *testing.T) {
	far := filepath.Join(t.TempDir(), "start.gro")
	list, err := ParseVariables("plans", []Definition{{"a", "rmsd(start.gro)"}, {"b", "rmsd(" + far + ")"},
		{"c", "rg"}})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []string{filepath.Join("plans", "start.gro"), far, ""} {
		if list[k].File != want {
			t.Errorf("%s: got %q, want %q", list[k].Name, list[k].File, want)
		}
	}
	if _, err := ParseVariables("", []Definition{{"a", "nothing(1)"}}); err == nil ||
		!strings.Contains(err.Error(), "nothing") {
		t.Errorf("bad text: got %v", err)
	}
	if _, err := ParseStates([]Definition{{"s", "width > 1"}}, list); err == nil ||
		!strings.Contains(err.Error(), "width") {
		t.Errorf("a state of no variable: got %v", err)
	}
}

// A question without variables or states is one of the weights alone.
func TestNoVariables(t *testing.T) {
	samples, m := proposal.frames(400, 2, &truth)
	e, err := Evaluate("x", 1, &Question{}, samples, m, nil)
	if err != nil || len(e.Results()) != 5 {
		t.Fatalf("got %+v, %v", e, err)
	}
	if p, err := e.Figures(); err != nil || len(p) != 1 || p[0].Name != "x_weights" {
		t.Errorf("figures: got %d, %v", len(p), err)
	}
	f := &data.Frames{Beads: 6, Dim: 3}
	if _, err := NewSet(six(t), Options{Name: "none"}, f, m); err == nil {
		t.Error("no frames: got no error")
	}
}
