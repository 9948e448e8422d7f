package observable_test

import (
	"fmt"
	"log"
	"math"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data/ala2"
)

// A length by the names of its beads, and the same from a Go function.
func ExampleParseVariable() {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		log.Fatal(err)
	}
	ends, err := observable.ParseVariable("ends", "distance(ACE1:C, NME3:N)")
	if err != nil {
		log.Fatal(err)
	}
	x, err := ends.Of(frames, meta)
	if err != nil {
		log.Fatal(err)
	}
	own := observable.NewVariable("own", "nm", func(r []float64) float64 {
		return math.Hypot(math.Hypot(r[15]-r[0], r[16]-r[1]), r[17]-r[2])
	})
	y, err := own.Of(frames, meta)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("first frame: %.3f and %.3f %s\n", x[0]*ends.Scale, y[0], ends.Unit)
	_, err = observable.ParseVariable("ends", "distance(ACE1:C NME3:N)")
	fmt.Println(err)
	// Output:
	// first frame: 0.468 and 0.468 nm
	// observable: variable ends: "distance(ACE1:C NME3:N)": distance takes 2 arguments, not 1: distance(A,B)
}

// The share of biased frames in a basin that lies across the end of the circle.
func ExampleParseState() {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		log.Fatal(err)
	}
	psi, err := observable.ParseVariable("psi", "psi(ALA2)")
	if err != nil {
		log.Fatal(err)
	}
	extended, err := observable.ParseState("extended", "100 < psi < 220", []observable.Variable{psi})
	if err != nil {
		log.Fatal(err)
	}
	x, err := psi.Of(frames, meta)
	if err != nil {
		log.Fatal(err)
	}
	in, err := extended.In(map[string][]float64{"psi": x})
	if err != nil {
		log.Fatal(err)
	}
	p, err := observable.Population(in, nil, observable.Resampling{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", p.Value)
	// Output: 0.40
}
