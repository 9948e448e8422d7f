package study_test

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/cgbg/study"
)

// Would more training or more frames help the potential? The curve that comes along says.
func Example() {
	g, err := alanine.Open("small", 1, "", false, "obc2", "cb")
	if err != nil {
		fmt.Println(err)
		return
	}
	curve, err := study.ShippedCurve(g, cgbg.PMF)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range curve.ByFrames() {
		fmt.Printf("%d frames: effective sample size %.0f %%\n", p.Frames, 100*p.ESS.Value)
	}
	// Output:
	// 500 frames: effective sample size 27 %
	// 2000 frames: effective sample size 48 %
	// 8000 frames: effective sample size 55 %
	// 44000 frames: effective sample size 56 %
}
