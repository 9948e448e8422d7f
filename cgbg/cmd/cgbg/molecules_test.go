package main

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/butane"
)

// A trajectory of another molecule than a peptide, with a map of its own: import of the raw files gives the set's
// beads, species and numbers.
func TestImportButane(t *testing.T) {
	const from = "../../../data/butane/"
	out := filepath.Join(t.TempDir(), "butane.arrow")
	if err := importCommand(context.Background(),
		[]string{"-map", from + "butane.map", "-structure", from + "butane.pdb",
			"-temperature", "300", "-every", "2", "-o", out, from + "unbiased.trr"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	r, err := data.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := r.All()
	if err != nil {
		t.Fatal(err)
	}
	want, meta, err := butane.Unbiased()
	if err != nil {
		t.Fatal(err)
	}
	want = want.Slice(0, 1000)
	if !slices.Equal(got.R, want.R) || !slices.Equal(got.F, want.F) {
		t.Error("positions or forces are others than those of the set")
	}
	if m := r.Meta(); !slices.Equal(m.Beads, meta.Beads) || !slices.Equal(m.Species, []int32{6, 7, 7, 6}) {
		t.Errorf("got beads %v of species %v", m.Beads, m.Species)
	}
}
