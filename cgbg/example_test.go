package cgbg_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/cgbg-go/lab/cgbg"
)

// The whole chain on the Müller–Brown system, with the smallest settings.
func Example() {
	dir, err := os.MkdirTemp("", "cgbg")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := cgbg.NewMullerBrown("small", 1, dir)
	if err != nil {
		log.Fatal(err)
	}
	report, err := m.Report(context.Background(), true, nil) // simulates, fits, samples
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("reweighting helps:", report.After.JS.Value < report.Before.JS.Value)
	// Output: reweighting helps: true
}
