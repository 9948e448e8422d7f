package dcd_test

import (
	"fmt"

	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
)

func ExampleOpen() {
	trajectory, err := dcd.Open("testdata/ala2_charmm.dcd")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer trajectory.Close()
	var frame gromacs.Frame
	err = trajectory.Next(&frame)
	fmt.Printf("%d atoms, the first at %.3f nm %v\n", trajectory.Atoms(), frame.R[:3], err)
	// Output: 22 atoms, the first at [1.130 0.367 1.166] nm <nil>
}
