package baseline

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// Both sets open, have the shape their comments give, and their checksums in README.md.
func TestSets(t *testing.T) {
	for field, c := range map[string]struct {
		load   func() (*data.Frames, data.Meta, error)
		frames int
	}{"OBC1": {OBC1, 121920}, "OBC2": {OBC2, 200000}} {
		f, m, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != c.frames || f.Beads != 1 || f.Dim != 2 || m.Temperature != 300 || m.Stride != 0.5 ||
			!strings.Contains(m.ForceField, field) || !strings.Contains(m.Generator, "-constraints h-bonds") {
			t.Errorf("%s: got %d frames, %+v", field, f.Len(), m)
		}
		for _, v := range f.R {
			if math.Abs(float64(v)) > math.Pi+1e-6 {
				t.Fatalf("%s: an angle of %v", field, v)
			}
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.arrow")
	if err != nil || len(files) != 2 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := fmt.Sprintf("| %s | `%x` |", name, sha256.Sum256(file)); !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the line\n%s", line)
		}
	}
}

func ExampleOBC2() {
	frames, meta, err := OBC2()
	fmt.Println(frames.Len(), meta.Mapping, err)
	// Output: 200000 dihedrals <nil>
}
