package keep_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/keep"
)

// What a step found is found once for the same inputs, and again for others.
func ExampleJSON() {
	dir, err := os.MkdirTemp("", "keep")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, frames := range []int{1000, 1000, 2000} {
		var mean float64
		err := keep.JSON(filepath.Join(dir, "mean.json"), keep.Fingerprint("mean", frames), &mean, func() error {
			fmt.Println("measuring", frames, "frames")
			mean = 1 / float64(frames)
			return nil
		})
		fmt.Println(mean, err)
	}
	// Output:
	// measuring 1000 frames
	// 0.001 <nil>
	// 0.001 <nil>
	// measuring 2000 frames
	// 0.0005 <nil>
}
