package ala2

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func TestCoreBeta(t *testing.T) {
	f, meta, err := CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 20_000 || f.Beads != 6 || len(f.F) != len(f.R) || len(f.LogW) != f.Len() {
		t.Fatalf("got %d frames of %d beads, %d forces, %d weights", f.Len(), f.Beads, len(f.F), len(f.LogW))
	}
	if meta.Mapping != "core-beta" || meta.Temperature != 300 || math.Abs(meta.Stride-0.2) > 1e-6 ||
		meta.Units.Length != "nm" {
		t.Errorf("got %+v", meta)
	}
	// Bonds of the first frame: C–N, N–CA, CA–CB, CA–C, C–N, nm; a peptide's are 0.13 to 0.16.
	for _, bond := range [][2]int{{0, 1}, {1, 2}, {2, 3}, {2, 4}, {4, 5}} {
		var d2 float64
		for k := range 3 {
			d := float64(f.R[3*bond[0]+k] - f.R[3*bond[1]+k])
			d2 += d * d
		}
		if d := math.Sqrt(d2); d < 0.12 || d > 0.17 {
			t.Errorf("bond %v: got %.3f nm", bond, d)
		}
	}
}

// The README's checksum is that of the file.
func TestChecksum(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(coreBeta)); !strings.Contains(string(readme), sum) {
		t.Errorf("README.md does not have %s", sum)
	}
	if len(coreBeta) > 5<<20 {
		t.Errorf("%d bytes are more than 5 MB", len(coreBeta))
	}
}

func ExampleCoreBeta() {
	frames, meta, err := CoreBeta()
	fmt.Println(frames.Len(), meta.Mapping, err)
	// Output: 20000 core-beta <nil>
}
