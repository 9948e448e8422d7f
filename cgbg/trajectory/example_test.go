package trajectory_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/trajectory"
)

// A trajectory of all atoms becomes frames of beads, with the weights that undo its bias.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	const testdata = "../../data/gromacs/testdata/"
	o := trajectory.NewOptions()
	o.Structure, o.Trajectories = testdata+"ala2.gro", []string{testdata + "ala2.trr"}
	o.Map, o.Temperature = "core-beta", 300
	o.Weights = trajectory.Weights{{Kind: "awh", File: testdata + "awh.xvg"}}
	o.Out = filepath.Join(dir, "frames.arrow")
	r, err := trajectory.Import(context.Background(), o)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Frames, "frames of", r.Beads, "beads, forces:", r.Forces)
	// Output: 8 frames of 6 beads, forces: true
}
