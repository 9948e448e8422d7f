// Command gobench runs the dynamics of package mullerbrown with the arguments and the output of langevin.c, on one
// thread:
//
//	gobench TRAJECTORIES STEPS BIASED SEED
//
// It prints per trajectory the bits of the last state (and its position), then the wall time per step. compare.sh runs
// both in alternation.
package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/cgbg-go/lab/cgbg/mullerbrown"
)

func main() {
	if err := bench(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bench(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: gobench TRAJECTORIES STEPS BIASED SEED")
	}
	var n [4]int
	for i, a := range args {
		v, err := strconv.Atoi(a)
		if err != nil {
			return fmt.Errorf("gobench: argument %d: %w", i+1, err)
		}
		n[i] = v
	}
	c := mullerbrown.Default()
	c.Trajectories, c.Steps, c.Biased, c.Seed, c.BurnIn, c.Threads = n[0], n[1], n[2] != 0, uint64(n[3]), 0, 1
	begin := time.Now()
	t, err := c.Run(context.Background(), nil)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, s := range t.Final {
		fmt.Printf("%016x %016x %016x %016x %.3f %.3f\n", math.Float64bits(s.X), math.Float64bits(s.Y),
			math.Float64bits(s.Vx), math.Float64bits(s.Vy), s.X, s.Y)
	}
	fmt.Printf("ns/step %.3f\n", float64(took.Nanoseconds())/float64(c.Steps)/float64(c.Trajectories))
	return nil
}
