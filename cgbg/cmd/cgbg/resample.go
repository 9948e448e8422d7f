package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// keyEffective is where a resampled file's description keeps the effective number of the frames it was drawn from.
const keyEffective = "effective frames"

const resampleUsage = `usage: go run ./cgbg/cmd/cgbg resample [-n N] [-validation 0.1] [-blocks 10] [-seed 1] FILE.arrow

Makes an unbiased set of a biased one: draws frames with their weights (column logw) into
FILE_resample_train.arrow and FILE_resample_validation.arrow. Blocks of time are split
first, so that copies of a frame never stand on both sides. The draw is systematic: a
frame of weight w is taken n·w times, rounded up or down. The effective number of frames
bounds what the set knows, however many are drawn; "cgbg info" shows it.

`

// resampleCommand is `cgbg resample`.
func resampleCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("resample", flag.ContinueOnError)
	var o splitOptions
	o.flags(fs)
	n := fs.Int("n", 0, "`number` of frames to draw in all; 0: as many as there are")
	rest, done, err := parse(fs, resampleUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: resample takes one file (-h explains)", errUsage)
	case *n < 0:
		return fmt.Errorf("%w: -n %d: 0 (as many as there are) or more", errUsage, *n)
	}
	if err := o.check(); err != nil {
		return err
	}
	outs := splitNames(rest[0], "resample")
	if err := cli.CheckPaths(outs[:], rest); err != nil {
		return err
	}
	var logw []float64
	if err := eachBatch(ctx, rest[0], func(_ int, f *data.Frames) error {
		if f.LogW == nil {
			return fmt.Errorf("%s: there are no weights (column logw); import it with what biased it (cgbg import "+
				"-h)", rest[0])
		}
		logw = append(logw, f.LogW...)
		return nil
	}); err != nil {
		return err
	}
	verb := "resample"
	if *n > 0 {
		verb = fmt.Sprintf("resample -n %d", *n)
	}
	return splitFile(ctx, rest[0], verb, &o, func(frames []int, rng *rand.Rand) ([]int, float64, error) {
		w := make([]float64, len(frames))
		for i, k := range frames {
			w[i] = logw[k]
		}
		ess, err := reweight.ESS(w)
		if err != nil {
			return nil, 0, err
		}
		draw := len(frames)
		if *n > 0 {
			draw = max(1, int(math.Round(float64(*n)*float64(len(frames))/float64(len(logw)))))
		}
		counts, err := reweight.Resample(w, draw, reweight.Systematic, rng)
		if err != nil {
			return nil, 0, err
		}
		var out []int
		distinct := 0
		for i, c := range counts {
			if c > 0 {
				distinct++
			}
			for range c {
				out = append(out, frames[i])
			}
		}
		fmt.Fprintf(stdout, "%d frames, effective %.0f: drew %d, %d of them different\n", len(frames),
			ess*float64(len(frames)), len(out), distinct)
		return out, ess * float64(len(frames)), nil
	}, stdout)
}
