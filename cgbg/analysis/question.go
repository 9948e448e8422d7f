package analysis

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cgbg-go/lab/cgbg/observable"
)

// Question is what frames are asked.
type Question struct {
	Variables []observable.Variable
	States    []observable.State
	// Scored are groups of one or two variables whose distributions are compared, the main one first.
	Scored []Group
	// Split is the state that decides how sure everything is, where there is one.
	Split *Split
}

// Group is one or two variables, by their places among the question's, that are scored together.
type Group struct {
	Name      string // before js and pmf_error in results; "": none
	Variables []int
}

// Split parts frames by a state that short simulations seldom reach: a set knows as much of it as it has crossings.
type Split struct {
	State   int    // place among the question's
	In, Out string // names in results of what is in the state and of the rest, such as phi_gt_0 and phi_lt_0
	Label   string // of its population in figures: P(φ > 0)
	Rest    string // of the rest: φ < 0

	// The basin of the state is between Lo and Hi along one of the question's variables: profiles have the error
	// there that blocks of time do not see.
	Variable int
	Lo, Hi   float64
}

// NewQuestion asks for variables and states. scored names one or two variables whose distributions are compared
// together, and first; then each variable is alone. Errors: a variable that is not there, names that are
// there twice, or that give two results one name.
func NewQuestion(variables []observable.Variable, states []observable.State, scored ...string) (*Question, error) {
	q := &Question{Variables: variables, States: states}
	var first Group
	for _, name := range scored {
		k := slices.IndexFunc(variables, func(v observable.Variable) bool { return v.Name == name })
		if k < 0 || len(scored) > 2 || slices.Contains(first.Variables, k) {
			return nil, fmt.Errorf("analysis: %q cannot be scored together: one or two of the variables", scored)
		}
		first.Variables = append(first.Variables, k)
	}
	if len(first.Variables) == 1 {
		first.Name = scored[0]
	}
	if len(first.Variables) > 0 {
		q.Scored = append(q.Scored, first)
	}
	for k, v := range variables {
		if v.Name != first.Name {
			q.Scored = append(q.Scored, Group{Name: v.Name, Variables: []int{k}})
		}
	}
	return q, q.check()
}

// Definition is a variable or a state in text, see [observable.VariableFormat] and [observable.StateFormat].
type Definition struct{ Name, Text string }

// ParseVariables makes variables of text; files that they name are relative to dir. Errors: those of
// [observable.ParseVariable].
func ParseVariables(dir string, list []Definition) (variables []observable.Variable, err error) {
	for _, d := range list {
		v, err := observable.ParseVariable(d.Name, d.Text)
		if err != nil {
			return nil, err
		}
		if v.File != "" && !filepath.IsAbs(v.File) {
			v.File = filepath.Join(dir, v.File)
		}
		variables = append(variables, v)
	}
	return variables, nil
}

// ParseStates makes states of text. Errors: those of [observable.ParseState].
func ParseStates(list []Definition, variables []observable.Variable) (states []observable.State, err error) {
	for _, d := range list {
		s, err := observable.ParseState(d.Name, d.Text, variables)
		if err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	return states, nil
}

// check tells whether names are unique, and those of their results, too.
func (q *Question) check() error {
	var names []string
	for _, v := range q.Variables {
		names = append(names, v.Name)
	}
	for _, s := range q.States {
		names = append(names, s.Name)
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("analysis: two variables or states are called %q", name)
		}
	}
	owner := map[string]string{} // of a result's name
	claim := func(who string, results ...string) error {
		for _, name := range results {
			if other, ok := owner[name]; ok && other != who {
				return fmt.Errorf("analysis: %s and %s would both have the result %s: call one of them otherwise",
					other, who, name)
			}
			owner[name] = who
		}
		return nil
	}
	for _, v := range q.Variables {
		own := []string{v.Name + "/mean"}
		for _, what := range []string{"/js", "/pmf_error"} {
			own = append(own, v.Name+what, v.Name+what+"_before", v.Name+what+"_clipped")
		}
		if err := claim(fmt.Sprintf("the variable %q", v.Name), own...); err != nil {
			return err
		}
	}
	for _, s := range q.States {
		name := "population/" + s.Name
		if err := claim(fmt.Sprintf("the state %q", s.Name), name, name+"_reference"); err != nil {
			return err
		}
	}
	return nil
}

// twoDimensional tells whether the first group is of two variables.
func (q *Question) twoDimensional() bool { return len(q.Scored) > 0 && len(q.Scored[0].Variables) == 2 }
