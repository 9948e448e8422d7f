// Command gobench times a graph-transformer flow: training steps, or samples
// with their exact log-density. It prints one line of JSON; compare.sh runs it
// beside the reference in JAX.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
)

func main() {
	what := flag.String("what", "sample", "`sample` or train")
	weights := flag.String("weights", "", "NPZ `file` of a trained flow, for sample")
	beads := flag.Int("beads", 10, "`number` of beads, for train")
	batch := flag.Int("batch", 0, "`states` of a batch; 0: the default for the field, and 256 for train")
	n := flag.Int("n", 64, "samples, or training steps")
	checks := flag.Int("checks", -1, "samples whose log-density is checked")
	slices := flag.Int("slices", 0, "`parts` of a training batch; 0: the default of Fit")
	adaptive := flag.Bool("adaptive", false, "samples without a schedule")
	schedule := flag.String("schedule", "", "`file` of the flow's schedule, made where there is none")
	seed := flag.Uint64("seed", 3, "of the schedule's pilots")
	pathTol := flag.Float64("path", 0, "`tolerance` of the path; 0: the default for the field")
	intervals := flag.Int("intervals", 0, "of the coarsest quadrature of samples without a schedule; 0: the default "+
		"for the field")
	logqTol := flag.Float64("tol", 0, "`tolerance` of that quadrature, nats; 0: the default for the field")
	double := flag.Bool("double", false, "the field in float64")
	flag.Parse()
	b, err := backend.Open()
	if err != nil {
		fail(err)
	}
	out := map[string]any{"what": *what, "device": b.Name}
	switch *what {
	case "sample":
		err = sample(b, *weights, *n, *checks, *adaptive, *schedule, *seed, out, func(acc *flow.Accuracy) {
			acc.Single = !*double
			replace(&acc.Batch, *batch)
			replace(&acc.PathTol, *pathTol)
			replace(&acc.Intervals, *intervals)
			replace(&acc.LogQTol, *logqTol)
		})
	case "train":
		size := 256
		replace(&size, *batch)
		err = train(b, *beads, *n, size, *slices, out)
	default:
		err = fmt.Errorf("-what %s: sample or train", *what)
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

// replace sets what a flag names; its zero stands for the default.
func replace[T comparable](dst *T, value T) {
	var zero T
	if value != zero {
		*dst = value
	}
}

// sample times samples with the accuracy for the field as change leaves it.
func sample(b *backend.Backend, path string, n, checks int, adaptive bool, schedule string, seed uint64,
	out map[string]any, change func(acc *flow.Accuracy)) error {
	m, err := flow.Import(b.Backend, path)
	if err != nil {
		return err
	}
	acc := flow.SamplingAccuracy(b.Name, m.Network)
	acc.Checks = -1
	change(&acc)
	out["batch"] = acc.Batch
	ctx := context.Background()
	if !adaptive {
		if acc.Schedule, err = flow.LoadSchedule(schedule); errors.Is(err, fs.ErrNotExist) {
			start := time.Now()
			acc.Schedule, err = m.Schedule(ctx, seed, acc)
			out["schedule_seconds"] = time.Since(start).Seconds()
			if err == nil && schedule != "" {
				err = acc.Schedule.Save(schedule)
			}
		}
		if err != nil {
			return err
		}
		s := acc.Schedule
		out["schedule_nodes"], out["schedule_steps"] = len(s.Nodes), len(s.Mesh)-1
		out["schedule_logq_error"], out["schedule_path_error"] = s.LogQError, s.PathError
	}
	if _, err := m.Sample(ctx, 2*acc.Batch, 1, acc, nil); err != nil { // compiles
		return err
	}
	acc.Checks = checks
	start := time.Now()
	s, err := m.Sample(ctx, n, 2, acc, nil)
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds() - s.CheckSeconds
	out["samples_per_second"] = float64(n) / seconds
	out["evaluations"], out["divergences"] = s.Evaluations, s.Divergences
	if s.Checked > 0 {
		out["checked"], out["logq_rms"] = s.Checked, s.CheckRMS
		out["logq_max"], out["logq_bound"] = s.CheckMax, s.LogQBound()
		out["check_seconds"] = s.CheckSeconds
	}
	return nil
}

func train(b *backend.Backend, beads, steps, batch, slices int, out map[string]any) error {
	frames := make([]float32, 4*batch*3*beads)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range frames {
		frames[i] = float32(rng.NormFloat64())
	}
	var first, last time.Time
	var begin, end int
	progress := func(done, _ int, _ string) {
		if first.IsZero() {
			first, begin = time.Now(), done
		}
		last, end = time.Now(), done
	}
	_, _, err := flow.Fit(context.Background(), b.Backend, flow.NewGraphTransformer(beads), frames, flow.Config{
		Epochs: (steps + 1 +
			3) / 4, Batch: batch, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000, Beads: beads,
		Slices: slices, StepsPerCall: 1, Progress: progress})
	if err != nil {
		return err
	}
	out["batch"], out["beads"], out["seconds_per_step"] = batch, beads, last.Sub(first).Seconds()/float64(end-begin)
	return nil
}
