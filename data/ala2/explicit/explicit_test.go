package explicit

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

// Every set opens, has the shape its comment gives, angles or bonds that can be, and its checksum in README.md.
func TestSets(t *testing.T) {
	for _, c := range []struct {
		name             string
		load             func() (*data.Frames, data.Meta, error)
		frames, beads, d int
		stride           float64
		forces, weights  bool
	}{
		{"9 a", AWH9DihedralsA, 40000, 1, 2, 0.1, false, true},
		{"9 b", AWH9DihedralsB, 31825, 1, 2, 0.1, false, true},
		{"1.5", AWH15Dihedrals, 21762, 1, 2, 0.1, false, true},
		{"unbiased", UnbiasedDihedrals, 4630, 1, 2, 0.2, false, false},
		{"HA 9", AWH9HeavyAtom, 23943, 10, 3, 0.3, true, true},
		{"CB 9", AWH9CoreBeta, 35913, 6, 3, 0.2, true, true},
		{"HA 1.5", AWH15HeavyAtom, 21762, 10, 3, 0.1, true, true},
		{"CB 1.5", AWH15CoreBeta, 21762, 6, 3, 0.1, true, true},
		{"HA 9 resampled", AWH9ResampledHeavyAtom, 12000, 10, 3, 0, true, false},
		{"CB 9 resampled", AWH9ResampledCoreBeta, 12000, 6, 3, 0, true, false},
		{"HA", UnbiasedHeavyAtom, 4630, 10, 3, 0.2, true, false},
		{"CB", UnbiasedCoreBeta, 4630, 6, 3, 0.2, true, false},
	} {
		f, m, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != c.frames || f.Beads != c.beads || f.Dim != c.d || (f.F != nil) != c.forces ||
			(f.LogW != nil) != c.weights || m.Temperature != 300 || m.Stride != c.stride {
			t.Errorf("%s: got %d frames of %d beads in %d dimensions, %g ps apart, forces %v, weights %v", c.name,
				f.Len(), f.Beads, f.Dim, m.Stride, f.F != nil, f.LogW != nil)
		}
		for i := range f.Len() {
			if frame := f.R[i*f.Width() : (i+1)*f.Width()]; !plausible(frame, f.Beads) {
				t.Fatalf("%s: frame %d is %v", c.name, i, frame)
			}
		}
	}
}

// plausible says whether angles are between −π and π, and beads of one molecule within 1.1 nm of the first.
func plausible(frame []float32, beads int) bool {
	for k, v := range frame {
		if beads == 1 && math.Abs(float64(v)) > math.Pi+1e-6 || beads > 1 && math.Abs(float64(v-frame[k%3])) > 1.1 {
			return false
		}
	}
	return true
}

// The two runs of AWH9HeavyAtom have weights with a mean of one each, and say different things about φ > 0, as
// README.md has it.
func TestRuns(t *testing.T) {
	f, _, err := AWH9HeavyAtom()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][2]int{{0, 13334}, {13334, f.Len()}} {
		mean := 0.0
		for _, v := range f.LogW[part[0]:part[1]] {
			mean += math.Exp(v) / float64(part[1]-part[0])
		}
		if math.Abs(mean-1) > 1e-9 {
			t.Errorf("frames %d to %d: got a mean weight of %g, want 1", part[0], part[1], mean)
		}
	}
	for _, c := range []struct {
		load func() (*data.Frames, data.Meta, error)
		want float64
	}{{AWH9DihedralsA, 0.0412}, {AWH9DihedralsB, 0.0091}} {
		f, _, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		var up, all float64
		for i, v := range f.LogW {
			if all += math.Exp(v); f.R[2*i] > 0 {
				up += math.Exp(v)
			}
		}
		if math.Abs(up/all-c.want) > 5e-5 {
			t.Errorf("P(φ > 0): got %.5f, want %g", up/all, c.want)
		}
	}
}

func TestChecksums(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.arrow")
	if err != nil || len(files) != 12 {
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
		if len(file) > 6<<20 {
			t.Errorf("%s: %d bytes are more than 6 MiB", name, len(file))
		}
	}
}

func ExampleUnbiasedHeavyAtom() {
	frames, meta, err := UnbiasedHeavyAtom()
	fmt.Println(frames.Beads, len(frames.F) == len(frames.R), meta.Mapping, err)
	// Output: 10 true heavy-atom <nil>
}
