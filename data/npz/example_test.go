package npz_test

import (
	"fmt"

	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

func ExampleOpen() {
	set, err := npz.Open("testdata/published.npz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	var frame gromacs.Frame
	err = set.Next(&frame)
	fmt.Printf("%d frames of %d atoms, the first at %.3f nm %v\n", set.Len(), set.Atoms(), frame.R[:3], err)
	// Output: 8 frames of 10 atoms, the first at [1.130 0.367 1.166] nm <nil>
}
