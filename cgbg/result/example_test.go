package result_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/result"
)

func Example() {
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, result.FileName)
	list := result.Behind("obc2/cb/biased/b", []result.Result{
		result.New("ess", 0.31, 0.004, result.None, "", 2000),
		result.New("js", 0.021, 0.001, 0.019, "nat", 2000),
		result.Words("verdict", "the weights are reliable"),
	})
	if err := result.Write(file, result.Entries(list)); err != nil {
		fmt.Println(err)
		return
	}
	entries, err := result.Read(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range entries {
		fmt.Printf("%s: %v\n", e.Name, e.Value)
	}
	// Output:
	// obc2/cb/biased/b/ess: 0.31
	// obc2/cb/biased/b/js: 0.021
	// obc2/cb/biased/b/verdict: the weights are reliable
}
