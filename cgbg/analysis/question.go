package analysis

import (
	"fmt"
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

	// The basin of the state is between Lo and Hi along one of the question's variables: profiles have the error
	// there that blocks of time do not see.
	Variable int
	Lo, Hi   float64
}

// One is the question about variables alone: each of them is scored, the first two together where pair is set.
func One(variables []observable.Variable, states []observable.State, pair bool) *Question {
	q := &Question{Variables: variables, States: states}
	if pair && len(variables) > 1 {
		q.Scored = append(q.Scored, Group{Variables: []int{0, 1}})
	}
	for k, v := range variables {
		q.Scored = append(q.Scored, Group{Name: v.Name, Variables: []int{k}})
	}
	return q
}

// check tells whether names are unique and places are there.
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
	return nil
}

// twoDimensional tells whether the first group is of two variables.
func (q *Question) twoDimensional() bool { return len(q.Scored) > 0 && len(q.Scored[0].Variables) == 2 }
