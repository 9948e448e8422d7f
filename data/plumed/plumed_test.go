package plumed

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func text(n, m int, f func(x, y float64) float64) string {
	var b strings.Builder
	b.WriteString("#! FIELDS phi psi metad.bias\n")
	for k, name := range []string{"phi", "psi"} {
		fmt.Fprintf(&b, "#! SET min_%s -pi\n#! SET max_%s pi\n#! SET nbins_%s %d\n#! SET periodic_%s true\n", name,
			name, name, []int{n, m}[k], name)
	}
	for j := range m {
		for i := range n {
			x, y := -math.Pi+2*math.Pi*float64(i)/float64(n), -math.Pi+2*math.Pi*float64(j)/float64(m)
			fmt.Fprintf(&b, "%.6f %.6f %.9f\n", x, y, f(x, y))
		}
		b.WriteString("\n") // PLUMED leaves a line between rows
	}
	return b.String()
}

func wave(x, y float64) float64 { return 20*math.Cos(x-0.3) + 10*math.Sin(2*y+x) }

func TestGridInterpolates(t *testing.T) {
	g, err := ParseGrid(strings.NewReader(text(90, 72, wave)), "bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	var worst float64
	for i := range 400 {
		x, y := -7+0.037*float64(i), 9-0.051*float64(i) // more than a turn
		got, err := g.At(x, y)
		if err != nil {
			t.Fatal(err)
		}
		worst = math.Max(worst, math.Abs(got-wave(x, y)))
	}
	if worst > 0.01 {
		t.Errorf("interpolation is off by %g kJ/mol", worst)
	}
	if got, _ := g.At(-math.Pi, math.Pi/2); math.Abs(got-wave(-math.Pi, math.Pi/2)) > 1e-6 {
		t.Errorf("at a grid point: got %g, want %g", got, wave(-math.Pi, math.Pi/2))
	}
	if _, err := g.At(math.NaN(), 0); err == nil {
		t.Error("NaN is an angle")
	}
}

func TestGridRefuses(t *testing.T) {
	good := text(8, 8, wave)
	lines := strings.SplitAfter(good, "\n")
	for name, bad := range map[string]string{
		"empty":       "",
		"cut short":   strings.Join(lines[:len(lines)-4], ""),
		"too long":    good + lines[len(lines)-3],
		"not there":   strings.Replace(good, "max_phi pi", "max_phi 2", 1),
		"aperiodic":   strings.Replace(good, "periodic_psi true", "periodic_psi false", 1),
		"huge":        strings.Replace(good, "nbins_phi 8", "nbins_phi 999999999", 1),
		"no fields":   strings.Replace(good, "FIELDS", "FILDS", 1),
		"wrong place": strings.Replace(good, "-3.141593 -3.141593", "-3.1 -3.141593", 1),
		"not number":  strings.Replace(good, "-3.141593 -3.141593", "-3.141593 NaN", 1),
	} {
		if _, err := ParseGrid(strings.NewReader(bad), "bias.dat"); !errors.Is(err, ErrFormat) ||
			!strings.Contains(err.Error(), "bias.dat") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzGrid(f *testing.F) {
	f.Add(text(4, 4, wave))
	f.Add(open(5, 4, -1, 2, true, wave))
	f.Add(text(4, 4, wave) + text(5, 4, wave))
	f.Add("#! FIELDS a b c\n#! SET min_a -3.14159\n1 2 3\n")
	f.Fuzz(func(t *testing.T, s string) {
		if g, err := ParseGrid(strings.NewReader(s), "x"); err == nil {
			if _, err := g.At([]float64{1, 2}[:len(g.Bins)]...); err != nil && !errors.Is(err, ErrRange) {
				t.Fatal(err)
			}
		}
	})
}
