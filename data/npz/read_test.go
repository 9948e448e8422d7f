package npz

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sbinet/npyio"
)

// What npyio writes is read with its shape; a file that is cut short or longer is refused.
func TestReadArray(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1, -2, 3.5, 1e-9, 0}
	if err := errors.Join(npyio.Write(f, want), f.Close()); err != nil {
		t.Fatal(err)
	}
	got, shape, err := ReadArray(path)
	if err != nil || !slices.Equal(got, want) || !slices.Equal(shape, []int{5}) {
		t.Errorf("got %v of shape %v, %v", got, shape, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"short": text[:len(text)-1], "long": append(slices.Clone(text), 0),
		"none": nil} {
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadArray(path); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTruncated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := ReadArray("testdata/none.npy"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
}
