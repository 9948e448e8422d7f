package gromacs_test

import (
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/cgbg-go/lab/data/gromacs"
)

func ExampleOpenTRR() {
	trajectory, err := gromacs.OpenTRR("testdata/ala2.trr")
	if err != nil {
		log.Fatal(err)
	}
	defer trajectory.Close()
	var frame gromacs.Frame
	frames := 0
	for ; ; frames++ {
		err := trajectory.Next(&frame)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d frames of %d atoms, the last at %.1f ps\n", frames, len(frame.R)/3, frame.Time)
	// Output: 8 frames of 22 atoms, the last at 0.7 ps
}

func ExampleReadGRO() {
	s, err := gromacs.ReadGRO("testdata/ala2.gro")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(s.Atoms), s.Atoms[8].Residue, s.Atoms[8].Name)
	// Output: 22 ALA CA
}
