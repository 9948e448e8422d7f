package plumed

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// open writes a grid of variables that end, n by m points from low to high; steps counts nbins.
func open(n, m int, low, high float64, steps bool, f func(x, y float64) float64) string {
	var b strings.Builder
	b.WriteString("#! FIELDS phi psi metad.bias der_phi der_psi\n")
	for k, name := range []string{"phi", "psi"} {
		bins := []int{n, m}[k]
		if steps {
			bins--
		}
		fmt.Fprintf(&b, "#! SET min_%s %g\n#! SET max_%s %g\n#! SET nbins_%s %d\n#! SET periodic_%s false\n", name,
			low, name, high, name, bins, name)
	}
	for j := range m {
		for i := range n {
			x, y := low+(high-low)*float64(i)/float64(n-1), low+(high-low)*float64(j)/float64(m-1)
			fmt.Fprintf(&b, " %14.9f %14.9f %14.9f 0 0\n", x, y, f(x, y))
		}
	}
	return b.String()
}

// A grid that ends is not continued round: near its ends it is as good as inside, and beyond there is nothing.
func TestGridThatEnds(t *testing.T) {
	for _, steps := range []bool{false, true} {
		g, err := ParseGrid(strings.NewReader(open(41, 31, -2, 1, steps, wave)), "bias.dat")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g.Bins, []int{41, 31}) || g.Periodic[0] || g.Periodic[1] {
			t.Fatalf("got %v points, periodic %v", g.Bins, g.Periodic)
		}
		if err := errors.Join(g.Dihedral(0), g.Dihedral(1)); err != nil {
			t.Fatal(err)
		}
		for i := range 301 {
			x := min(-2+0.01*float64(i), 1)
			for _, y := range []float64{-2, -1.97, 0.123, 0.93, 1} {
				// Third order: h³ = 1e-3 times derivatives up to 100.
				if got, err := g.At(x, y); err != nil || math.Abs(got-wave(x, y)) > 0.05 {
					t.Fatalf("at %g, %g: got %g, %v, want %g", x, y, got, err, wave(x, y))
				}
				if got, err := g.At(x+turn, y-turn); err != nil || math.Abs(got-wave(x, y)) > 0.05 {
					t.Fatalf("at %g, %g, a turn on: got %g, %v, want %g", x, y, got, err, wave(x, y))
				}
			}
		}
		for _, p := range [][2]float64{{-2.01, 0}, {1.01, 0}, {0, 1.2}, {0, 3}, {-3, -3}} {
			if _, err := g.At(p[0], p[1]); !errors.Is(err, ErrRange) || !strings.Contains(err.Error(),
				"from -2.000 to 1.000") {
				t.Errorf("at %v: got %v", p, err)
			}
		}
	}
}

// A grid that ends at ±π, of a bias that was not periodic, has two values there.
func TestGridThatEndsAtPi(t *testing.T) {
	g, err := ParseGrid(strings.NewReader(open(61, 61, -math.Pi, math.Pi, false, func(x,
		y float64) float64 {
		return x
	})), "bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{-math.Pi, -3.14, 0, 3.14, 3.1415926} {
		if got, err := g.At(x, 0); err != nil || math.Abs(got-x) > 1e-5 {
			t.Errorf("at %g: got %g, %v", x, got, err)
		}
	}
}

// The same grid in the other ways that programs write it.
func TestGridVariants(t *testing.T) {
	good := text(24, 12, wave)
	lines := strings.SplitAfter(strings.ReplaceAll(good, "\n\n", "\n"), "\n")
	lines = lines[:len(lines)-1]
	const head = 9
	var backward, closed strings.Builder
	backward.WriteString(strings.Join(lines[:head], ""))
	for k := len(lines) - 1; k >= head; k-- {
		backward.WriteString(lines[k])
	}
	closed.WriteString(strings.Join(lines[:head], ""))
	for j := range 13 {
		for i := range 25 {
			var x, y, v float64
			if _, err := fmt.Sscan(lines[head+j%12*24+i%24], &x, &y, &v); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&closed, "%.6f %.6f %.9f\n", x+turn*float64(i/24), y+turn*float64(j/12), v)
		}
	}
	derivatives := strings.Replace(strings.Join(lines[:head], ""), "metad.bias", "metad.bias der_phi der_psi", 1)
	for _, line := range lines[head:] {
		derivatives += strings.TrimSuffix(line, "\n") + " 1 2\n"
	}
	other := text(24, 12, func(x, y float64) float64 { return 1 })
	for name, c := range map[string]struct {
		text   string
		stored int
	}{
		"plain":     {good, 1},
		"CRLF":      {strings.ReplaceAll(good, "\n", "\r\n"), 1},
		"numbers":   {strings.NewReplacer(" -pi\n", " -3.141593\n", " pi\n", " 3.14159265\n").Replace(good), 1},
		"multiples": {strings.NewReplacer(" -pi\n", " -1*pi\n", " pi\n", " +pi\n").Replace(good), 1},
		"more header": {strings.Replace(good, "#! SET min_phi", "# a comment\n#! SET biasf 10\n#! SET kbt "+
			"2.49\n#! SET min_phi", 1), 1},
		"derivatives":   {derivatives, 1},
		"backward":      {backward.String(), 1},
		"closed":        {closed.String(), 1},
		"stored":        {other + good, 2},
		"stored, plain": {other + strings.Join(lines[head:], ""), 2},
		"three":         {good + other + good, 3},
	} {
		g, err := ParseGrid(strings.NewReader(c.text), "bias.dat")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g.Stored != c.stored || !slices.Equal(g.Bins, []int{24, 12}) {
			t.Errorf("%s: got %d grids of %v", name, g.Stored, g.Bins)
		}
		for i := range 24 * 12 {
			x, y := -math.Pi+turn*float64(i%24)/24, -math.Pi+turn*float64(i/24)/12
			if got, err := g.At(x, y); err != nil || math.Abs(got-wave(x, y)) > 1e-4 {
				t.Fatalf("%s: at %g, %g: got %g, %v, want %g", name, x, y, got, err, wave(x, y))
			}
		}
	}
}

// At the seam of a periodic grid nothing jumps, and the bias is as good as elsewhere.
func TestGridSeam(t *testing.T) {
	g, err := ParseGrid(strings.NewReader(text(90, 72, wave)), "bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []float64{0, 1e-15, 1e-9, 1e-4, 0.01, 0.05} {
		for _, p := range [][2]float64{{math.Pi - d, 0.3}, {-math.Pi + d, 0.3}, {0.3, math.Pi - d}, {0.3,
			-math.Pi + d}, {math.Pi - d, -math.Pi + d}} {
			if got, err := g.At(p[0], p[1]); err != nil || math.Abs(got-wave(p[0], p[1])) > 0.01 {
				t.Errorf("at %v: got %g, %v, want %g", p, got, err, wave(p[0], p[1]))
			}
		}
	}
}

// What is no grid of a bias on two dihedrals is called by its name.
func TestGridNames(t *testing.T) {
	good := text(8, 8, wave)
	periodic := func(name string, n int) string {
		return fmt.Sprintf("#! SET min_%[1]s -pi\n#! SET max_%[1]s pi\n#! SET nbins_%[1]s %[2]d\n#! SET "+
			"periodic_%[1]s true\n", name, n)
	}
	stored := strings.SplitAfter(good+good, "\n")
	for _, c := range []struct{ name, text, want string }{
		{"HILLS", "#! FIELDS time phi psi sigma_phi sigma_psi height biasf\n#! SET multivariate false\n#! SET " +
			"min_phi -pi\n1 -1.2 1.1 0.35 0.35 1.3 10\n", "-hills"},
		{"HILLS of one", "#! FIELDS time phi sigma_phi height biasf\n1 -1.2 0.35 1.3 10\n", "import it with -hills"},
		{"KERNELS", "#! FIELDS time phi psi sigma_phi sigma_psi height logweight\n1 -1.2 1.1 0.3 0.3 1.3 0\n",
			"KERNELS"},
		{"COLVAR", "#! FIELDS time phi psi metad.bias\n0 -1.2 1.1 0\n", "-colvar"},
		{"three", "#! FIELDS phi psi omega metad.bias\n" + periodic("phi", 8) + periodic("psi",
			8) + periodic("omega", 8) + "1 1 1 1\n", "a grid of phi, psi, omega, and"},
		{"sum_hills", strings.Replace(good, "metad.bias", "file.free", 1), "free energy"},
		{"negbias", strings.Replace(good, "metad.bias", "file.negbias", 1), "sum_hills"},
		{"histogram", strings.Replace(good, "metad.bias", "hh", 1), "its value is hh"},
		{"no value", "#! FIELDS phi psi\n" + periodic("phi", 8) + periodic("psi", 8) + "1 1\n", "no value"},
		{"no header", "-3.1 -3.1 4\n", "FIELDS"},
		{"no SET", "#! FIELDS phi psi metad.bias\n-3.1 -3.1 4\n", "nbins_phi"},
		{"degrees", strings.NewReplacer(" -pi\n", " -180\n", " pi\n", " 180\n").Replace(good), "in degrees"},
		{"end without a point", strings.Replace(good, "periodic_phi true", "periodic_phi false", 1),
			"its last point is at 2.356"},
		{"backward range", open(8, 8, 1, -1, false, wave), "runs from 1 to -1"},
		{"no period", strings.Replace(good, "#! SET periodic_phi true\n", "", 1), "periodic_phi"},
		{"twice, otherwise", good + "-3.141593 -2.356194 7\n", "twice"},
		{"second cut short", strings.Join(stored[:len(stored)-4], ""), "cut short"},
	} {
		if _, err := ParseGrid(strings.NewReader(c.text), "bias.dat"); !errors.Is(err, ErrFormat) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
