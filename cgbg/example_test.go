package cgbg_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/data"
)

// From frames of three beads on springs to the population of a state, with the smallest settings.
func ExamplePlan_Run() {
	dir, err := os.MkdirTemp("", "plan")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	frames := &data.Frames{Beads: 3, Dim: 3}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 240 {
		for _, place := range []float64{0, 0, 0, 0.15, 0, 0, 0.15, 0.15, 0} { // nm
			d := 0.01 * rng.NormFloat64()
			frames.R = append(frames.R, float32(place+d))
			frames.F = append(frames.F, float32(-25000*d)) // kJ/mol/nm: d = √(kT/k)
		}
	}
	meta := data.Meta{System: "springs", Mapping: "three", Beads: []string{"a", "b", "c"}, Dim: 3, Temperature: 300}
	if err := data.WriteFile(filepath.Join(dir, "frames.arrow"), meta, frames); err != nil {
		log.Fatal(err)
	}
	text := `
data.frames = "frames.arrow"
flow = { preset = "small", epochs = 1, batch = 64, held_out = 20 }
pmf = { preset = "small", epochs = 1, batch = 64 }
sample = { n = 60, checks = 4 }
variables.end = "distance(a,c)"
states.long = "end > 0.2"
`
	file := filepath.Join(dir, "springs.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
	plan, err := cgbg.ReadPlan(file)
	if err != nil {
		log.Fatal(err)
	}
	e, err := plan.Run(context.Background(), io.Discard, nil) // trains, samples, weighs
	if err != nil {
		log.Fatal(err)
	}
	p := e.Samples.Populations[0]
	fmt.Println(e.Samples.Len(), "samples; the population of", e.Samples.Question.States[0].Name,
		"has an error:", p.Error > 0)
	// Output: 60 samples; the population of long has an error: true
}
