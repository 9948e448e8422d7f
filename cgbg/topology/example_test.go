package topology_test

import (
	"fmt"
	"log"

	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data/ala2"
)

// The chiral centre of alanine dipeptide, and a frame in the mirror.
func Example() {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		log.Fatal(err)
	}
	g := topology.Find(frames.R, frames.Beads, nil)
	for _, c := range g.Centres {
		fmt.Println("centre:", meta.Beads[c.Beads[0]])
	}
	frame := make([]float64, frames.Width())
	for i := range frame {
		frame[i] = -float64(frames.R[i])
	}
	fmt.Println("its hand in the mirror:", g.Right(frame))
	// Output:
	// centre: ALA2:CA
	// its hand in the mirror: false
}
