package recipe_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cgbg-go/lab/data/recipe"
)

// Without GROMACS there is nothing to make, and the error says how to get it.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "recipe")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	o := recipe.Defaults()
	o.Dir, o.Structure, o.GMX = dir, "../ala2/ala2.pdb", "no-such-gmx"
	_, err = recipe.Run(context.Background(), o)
	fmt.Println(o.Length, "ps, a frame every", o.Interval, "ps:", errors.Is(err, recipe.ErrNoGMX))
	// Output: 1000 ps, a frame every 1 ps: true
}
