package analysis_test

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// How much of alanine dipeptide is at φ > 0 by a biased simulation, whose frames have weights.
func Example() {
	variables, err := analysis.ParseVariables("", []analysis.Definition{
		{Name: "phi", Text: "phi(ALA2)"}, {Name: "psi", Text: "psi(ALA2)"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	states, err := analysis.ParseStates([]analysis.Definition{{Name: "left", Text: "0 < phi < 120"}}, variables)
	if err != nil {
		fmt.Println(err)
		return
	}
	question, err := analysis.NewQuestion(variables, states, "phi", "psi")
	if err != nil {
		fmt.Println(err)
		return
	}
	frames, meta, err := obc2.Metad9Dihedrals()
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := analysis.NewSet(question, analysis.Options{Name: "metadynamics", Seed: 1, Every: 20}, frames, meta)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d frames, %.0f %% of the weight is in the state\n", set.Len(), 100*set.Populations[0].Value)
	// Output:
	// 2200 frames, 3 % of the weight is in the state
}
