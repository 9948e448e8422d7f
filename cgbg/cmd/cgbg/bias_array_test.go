package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Log-weights that the user has, by number or time, as text or an array.
func TestOwnWeights(t *testing.T) {
	var plain, timed strings.Builder
	plain.WriteString("# ln w\n")
	want := func(i int) float64 { return math.Sin(float64(i)) }
	for i := range 60 {
		fmt.Fprintf(&plain, "%.9f\n", want(i))
	}
	for i := range 600 {
		fmt.Fprintf(&timed, "%.1f %.9f\n", 0.1*float64(i), want(i/10))
	}
	array := filepath.Join(t.TempDir(), "w.npy")
	var v []float64
	for i := range 60 {
		v = append(v, want(i))
	}
	writeArray(t, array, v, "60,")
	for name, path := range map[string]string{"text": written(t, "w.txt", plain.String()),
		"times": written(t, "w.dat", timed.String()), "array": array} {
		got, _, err := walkWeights(t, "-logw", path, "-skip", "4", "-every", "5")
		if err != nil || len(got) != 12 {
			t.Fatalf("%s: got %d weights, %v", name, len(got), err)
		}
		for k := range got {
			if i := 4 + 5*k; math.Abs(got[k]-want(i)) > 1e-8 {
				t.Errorf("%s: frame %d: got %g, want %g", name, i, got[k], want(i))
			}
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"short": {"1\n2\n", "2 log-weights, and the trajectories more frames"},
		"long":  {plain.String() + "7\n", "61 log-weights, and the trajectories 60 frames"},
		"wide":  {"1 2 3\n", "3 columns"},
		"word":  {"1\nx\n", "line 2"},
		"NaN":   {"nan\n", "not finite"},
		"empty": {"# nothing\n", "no numbers"},
	} {
		if _, _, err := walkWeights(t, "-logw", written(t, "w.txt", c.text)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// writeArray writes numbers as NumPy does, in double precision.
func writeArray(t *testing.T, path string, v []float64, shape string) {
	t.Helper()
	head := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", shape)
	text := []byte("\x93NUMPY\x01\x00")
	for (len(text)+2+len(head)+1)%64 != 0 {
		head += " "
	}
	head += "\n"
	text = append(text, byte(len(head)), byte(len(head)>>8))
	text = append(text, head...)
	for _, x := range v {
		for bits, k := math.Float64bits(x), 0; k < 8; k++ {
			text = append(text, byte(bits>>(8*k)))
		}
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// The arrays of OpenMM's Metadynamics: [last variable, first variable], closing points at the ends of periodic ones.
func TestOpenMMBias(t *testing.T) {
	const n, m, gamma = 121, 81, 5.0 // phi, d
	bias := func(phi, d float64) float64 { return 6 + 4*math.Cos(phi-1) + 2*math.Sin(9*d) }
	var v, free []float64
	for j := range m {
		for i := range n {
			x := bias(-math.Pi+2*math.Pi*float64(i)/(n-1), 0.2+0.8*float64(j)/(m-1))
			v, free = append(v, x), append(free, -gamma/(gamma-1)*x)
		}
	}
	dir := t.TempDir()
	path, freePath := filepath.Join(dir, "bias.npy"), filepath.Join(dir, "free.npy")
	writeArray(t, path, v, fmt.Sprintf("%d, %d", m, n))
	writeArray(t, freePath, free, fmt.Sprintf("%d, %d", m, n))
	column := walkColumns(t, "COLVAR_plain", "phi", "d")
	const variables = "phi:ALA2:-pi:pi:periodic,d:0.2:1"
	for name, args := range map[string][]string{
		"bias": {"-openmm-bias", path, "-bias-variables", variables, "-plumed", walkDir + "plumed.dat"},
		"free": {"-openmm-bias", freePath, "-bias-factor", "5", "-bias-variables", variables, "-plumed",
			walkDir + "plumed.dat"},
	} {
		got, _, err := walkWeights(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			// Third order: 0.01³ times 2·9³, 0.05³ times 4.
			if want := bias(column[0][i], column[1][i]) / kT300; math.Abs(got[i]-want) > 2e-3 {
				t.Errorf("%s: frame %d: got %.5f, want %.5f", name, i, got[i], want)
			}
		}
	}
	mixed := filepath.Join(dir, "mixed.npy")
	v[3] = -5
	writeArray(t, mixed, v, fmt.Sprintf("%d, %d", m, n))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-openmm-bias", freePath, "-bias-variables", variables}, "it is getFreeEnergy()"},
		{[]string{"-openmm-bias", path, "-bias-factor", "5", "-bias-variables", variables},
			"the bias itself needs none"},
		{[]string{"-openmm-bias", mixed, "-bias-variables", variables}, "nowhere below 0"},
		{[]string{"-openmm-bias", path}, "gives its variables"},
		{[]string{"-openmm-bias", path, "-bias-variables", "phi:ALA2,d"}, "no range"},
		{[]string{"-openmm-bias", path, "-bias-variables", "phi:-pi:pi:periodic"}, "gives its variables"},
	} {
		if _, _, err := walkWeights(t, append(c.args, "-plumed", walkDir+"plumed.dat")...); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}
