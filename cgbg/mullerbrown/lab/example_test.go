package lab_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/cgbg-go/lab/cgbg/mullerbrown/lab"
)

// The whole chain on the Müller–Brown system, with the smallest settings.
func Example() {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := lab.Open("small", 1, dir)
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
