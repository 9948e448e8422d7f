// Command gobench times a MACE potential: training steps in float32, or 10,000
// energies at fixed weights. It prints one line of JSON; compare.sh runs it
// beside the reference in JAX.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
)

func main() {
	what := flag.String("what", "energy", "`energy`, force, fast-force or train")
	weights := flag.String("weights", "", "NPZ `file` of a model with frames R and forces F64")
	batch := flag.Int("batch", 256, "frames of a training step")
	n := flag.Int("n", 10_000, "energies, or training steps")
	flag.Parse()
	b, err := backend.Open()
	if err != nil {
		fail(err)
	}
	m, err := pmf.ImportMACE(b.Backend, *weights)
	if err != nil {
		fail(err)
	}
	m.Single = true
	out := map[string]any{"what": *what, "device": b.Name, "n": *n}
	switch *what {
	case "energy", "force", "fast-force":
		m.FastForces = *what == "fast-force"
		err = evaluate(m, *weights, *what, *n, out)
	case "train":
		out["batch"] = *batch
		err = steps(b, m, *weights, *n, *batch, out)
	default:
		err = fmt.Errorf("-what %s: energy, force, fast-force or train", *what)
	}
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// frames repeats those of the file, moved a little, n times in all; forces as they are.
func frames(path string, dim, n int) (r []float64, f []float32, err error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, nil, err
	}
	if arrays["R"] == nil || arrays["F64"] == nil {
		return nil, nil, fmt.Errorf("%s: no arrays R and F64", path)
	}
	positions, err := tensors.CopyFlatData[float32](arrays["R"])
	if err != nil {
		return nil, nil, err
	}
	forces, err := tensors.CopyFlatData[float64](arrays["F64"])
	if err != nil {
		return nil, nil, err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range n * dim {
		r = append(r, float64(positions[i%len(positions)])+1e-3*rng.NormFloat64())
		f = append(f, float32(forces[i%len(forces)]))
	}
	return r, f, nil
}

func evaluate(m *pmf.Model, path, what string, n int, out map[string]any) error {
	r, _, err := frames(path, m.Potential.Dim(), n)
	if err != nil {
		return err
	}
	ctx := context.Background()
	run := func(r []float64) error {
		if what == "energy" {
			_, err := m.Energy(ctx, r)
			return err
		}
		_, _, err := m.EnergyForce(ctx, r)
		return err
	}
	if err := run(r[:min(n, 64)*m.Potential.Dim()]); err != nil { // compiles
		return err
	}
	start := time.Now()
	if err := run(r); err != nil {
		return err
	}
	out["seconds_per_10000"] = time.Since(start).Seconds() * 10_000 / float64(n)
	return nil
}

func steps(b *backend.Backend, m *pmf.Model, path string, steps, batch int, out map[string]any) error {
	r, f, err := frames(path, m.Potential.Dim(), 4*batch)
	if err != nil {
		return err
	}
	small := make([]float32, len(r))
	for i, v := range r {
		small[i] = float32(v)
	}
	var first, last time.Time
	var begin, end int
	progress := func(done, _ int, _ string) {
		if first.IsZero() {
			first, begin = time.Now(), done
		}
		last, end = time.Now(), done
	}
	_, _, err = pmf.Fit(context.Background(), b.Backend, m.Potential, small, f, pmf.Config{
		Epochs: (steps +
			4) / 4, Batch: batch, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 1, StepsPerCall: 1, Progress: progress})
	if err != nil {
		return err
	}
	out["seconds_per_step"] = last.Sub(first).Seconds() / float64(end-begin)
	return nil
}
