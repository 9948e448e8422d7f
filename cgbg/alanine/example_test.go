package alanine_test

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// A simulation of alanine dipeptide, asked what there is at φ > 0.
func ExampleStudy() {
	set, err := alanine.Study("small", 1, "metadynamics", "", obc2.Metad9Dihedrals)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range set.Results()[:1] {
		fmt.Printf("%s: %.2f\n", r.Name, r.Value)
	}
	// Output:
	// metadynamics/phi_gt_0: 0.03
}

// The generator of Core Beta beads in implicit water, with the models that come along.
func ExampleOpen() {
	g, err := alanine.Open("small", 1, "", false, "obc2", "cb")
	if err != nil {
		fmt.Println(err)
		return
	}
	card, err := g.Card(context.Background(), cgbg.Flow, cgbg.Biased, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d beads at %g K\n", g.Name, len(card.Beads), card.Temperature)
	// Output:
	// obc2/cb: 6 beads at 300 K
}
