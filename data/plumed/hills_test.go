package plumed

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const kT300 = 0.00831446261815324 * 300

// colvar reads columns of a file in testdata.
func colvar(t *testing.T, name string, columns ...string) [][]float64 {
	t.Helper()
	table, err := ReadTable("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float64
	for _, c := range columns {
		v, err := table.Column(c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// The bias of PLUMED's own hills at the values of its COLVAR is the bias that PLUMED wrote, at every time.
func TestHillsAgainstPlumed(t *testing.T) {
	for _, c := range []struct {
		name      string
		variables []string
		factor    float64
	}{{"tempered", []string{"phi", "d"}, 8}, {"plain", []string{"psi"}, -1}, {"adaptive", []string{"phi", "d"}, 8}} {
		t.Run(c.name, func(t *testing.T) {
			h, err := ReadHills("testdata/HILLS_" + c.name)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(h.Names, c.variables) || h.BiasFactor != c.factor {
				t.Fatalf("got %v, biasf %g", h.Names, h.BiasFactor)
			}
			v := colvar(t, "COLVAR_"+c.name, append([]string{"time", "metad.bias"}, c.variables...)...)
			most := 0.0
			for i, time := range v[0] {
				x := []float64{v[2][i]}
				if len(v) == 4 {
					x = append(x, v[3][i])
				}
				// Six decimals of the values, times slopes up to 100 kJ/mol/nm.
				if got := h.At(x, time-0.1); math.Abs(got-v[1][i]) > 2e-4 {
					t.Errorf("at %g ps: got %.6f kJ/mol, PLUMED has %.6f", time, got, v[1][i])
				}
				most = max(most, v[1][i])
			}
			if most < 5 {
				t.Errorf("the highest bias is %g kJ/mol: nothing is tested", most)
			}
		})
	}
}

// The sum of all hills is the grid that PLUMED wrote, and the offset its rct.
func TestHillsGrid(t *testing.T) {
	h, err := ReadHills("testdata/HILLS_gridded")
	if err != nil {
		t.Fatal(err)
	}
	g, err := ReadGrid("testdata/bias_gridded.dat")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range g.Values {
		x := g.Place(i)
		if got := h.At(x, math.Inf(1)); math.Abs(got-want) > 1e-6 {
			t.Fatalf("at %v: the hills are %.8f kJ/mol, the grid %.8f", x, got, want)
		}
	}
	o, err := h.Offset(kT300, []float64{0, 0.3}, []float64{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	v := colvar(t, "COLVAR_gridded", "time", "phi", "d", "metad.rbias", "metad.rct")
	for i, time := range v[0] {
		// PLUMED's integral is a sum over 41 points along d, both ends included, 1/40 more: kT/40 at most. The row has
		// the offset behind the hill of its time.
		if got := o.At(time + 0.1); math.Abs(got-v[4][i]) > kT300/40 {
			t.Errorf("at %g ps: the offset is %.4f, rct is %.4f", time, got, v[4][i])
		}
		// a spline for the bias
		if got := h.At([]float64{v[1][i], v[2][i]}, time-0.1) - o.At(time-0.1); math.Abs(got-v[3][i]) > kT300/40+0.02 {
			t.Errorf("at %g ps: rbias is %.4f, PLUMED has %.4f", time, got, v[3][i])
		}
	}
}

// hillsText are n random hills of two variables, x periodic, in the format of METAD; plain is their sum.
func hillsText(n int, stretched bool) (text string, plain func(x, y float64) float64) {
	rng := rand.New(rand.NewPCG(5, 6))
	kind := "gaussian"
	if stretched {
		kind = "stretched-gaussian"
	}
	text = "#! FIELDS time x y sigma_x sigma_y height biasf\n#! SET multivariate false\n#! SET kerneltype " + kind +
		"\n#! SET min_x -pi\n#! SET max_x pi\n"
	var all [][5]float64
	for i := range n {
		v := [5]float64{7 * (rng.Float64() - 0.5), 2 * rng.Float64(), 0.2 + 0.3*rng.Float64(),
			0.1 + 0.1*rng.Float64(), rng.Float64()}
		all = append(all, v)
		text += fmt.Sprintf("%d %.9f %.9f %.9f %.9f %.9f 10\n", i+1, v[0], v[1], v[2], v[3], v[4])
	}
	return text, func(x, y float64) (sum float64) {
		for _, v := range all {
			for turn := -2.0; turn <= 2; turn++ {
				a, b := (x-v[0]+2*math.Pi*turn)/v[2], (y-v[1])/v[3]
				if q := (a*a + b*b) / 2; q < 6.25 && stretched {
					// PLUMED's literals
					sum += 0.9 * v[4] * (1.00193418799744762399*math.Exp(-q) - 0.00193418799744762399)
				} else if q < 6.25 {
					sum += 0.9 * v[4] * math.Exp(-q)
				}
			}
		}
		return sum
	}
}

// The search by the first variable finds what a plain sum over all hills and turns has.
func TestHillsPlainSum(t *testing.T) {
	for _, stretched := range []bool{false, true} {
		text, plain := hillsText(300, stretched)
		h, err := ParseHills(strings.NewReader(text), "HILLS")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			x, y := -9+0.037*float64(i), 0.004*float64(i)
			if got, want := h.At([]float64{x, y}, math.Inf(1)), plain(x, y); math.Abs(got-want) > 1e-7 {
				t.Fatalf("at %g, %g: got %.9f, want %.9f", x, y, got, want)
			}
		}
	}
}

// A bias that is the same everywhere is all offset.
func TestOffsetOfFlatBias(t *testing.T) {
	var b strings.Builder
	b.WriteString("#! FIELDS time x sigma_x height biasf\n#! SET min_x -pi\n#! SET max_x pi\n")
	const n = 2000
	for i := range n {
		fmt.Fprintf(&b, "%d %.9f 0.5 0.03 10\n", i+1, -math.Pi+2*math.Pi*float64(i)/n)
	}
	h, err := ParseHills(strings.NewReader(b.String()), "HILLS")
	if err != nil {
		t.Fatal(err)
	}
	o, err := h.Offset(kT300, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.At(math.Inf(1)), h.At([]float64{0.3}, math.Inf(1)); math.Abs(got-want) > 1e-3*want {
		t.Errorf("got %g, the bias is %g", got, want)
	}
	if got := o.At(0.5); got != 0 {
		t.Errorf("before the first hill: got %g", got)
	}
}

func TestHillsRefuse(t *testing.T) {
	good, _ := hillsText(4, false)
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "no line"},
		"COLVAR":      {"#! FIELDS time phi metad.bias\n0 1 2\n", "no list of hills"},
		"KERNELS":     {"#! FIELDS time phi sigma_phi height logweight\n0 1 2 3 4\n", "opes.bias"},
		"no width":    {strings.ReplaceAll(good, "sigma_y", "sigma_z"), "sigma_y"},
		"width":       {strings.Replace(good, "\n1 ", "\n1 1 1 0 1 1 10\n1 ", 1), "line 6: sigma_x is 0"},
		"two factors": {good + "5 1 1 1 1 1 9\n", "biasf is 9"},
		"no bias":     {strings.ReplaceAll(good, " 10\n", " 1\n"), "biasf is 1"},
		"kernel":      {strings.Replace(good, "kerneltype gaussian", "kerneltype triangular", 1), "triangular"},
		"interval":    {"#! FIELDS time x sigma_x height biasf lower_int upper_int\n1 1 1 1 1 0 1\n", "INTERVAL"},
		"NaN":         {good + "5 1 1 1 1 nan 10\n", "height"},
		"ragged":      {good + "5 1 1 1 1 1\n6 1 1 1 1 1 10\n", "6 columns"},
		"range":       {strings.Replace(good, "max_x pi", "max_x -4", 1), "no range"},
		"other run":   {good + "#! FIELDS time x sigma_x height biasf\n1 1 1 1 10\n", "one by one"},
	} {
		if _, err := ParseHills(strings.NewReader(c.text), "HILLS"); err == nil || !strings.Contains(err.Error(),
			c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	// A line that is cut off, and a header that stands again, are what runs leave that stop and go on.
	h, err := ParseHills(strings.NewReader(good+good+"5 1 1 1"), "HILLS")
	if err != nil || len(h.Height) != 8 {
		t.Errorf("cut off: got %v", err)
	}
}

func FuzzHills(f *testing.F) {
	good, _ := hillsText(3, true)
	f.Add(good)
	f.Add("#! FIELDS time p d sigma_p_p sigma_d_d sigma_d_p height biasf\n#! SET multivariate true\n1 1 1 2 2 1 3 8\n")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHills(strings.NewReader(s), "x")
		if err != nil {
			return
		}
		h.At(make([]float64, len(h.Names)), math.Inf(1))
	})
}

// The input defines what the COLVAR's columns are.
func TestInput(t *testing.T) {
	in, err := ReadInput("testdata/plumed.dat")
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]Variable{
		"phi":   {Kind: Torsion, Atoms: []int{4, 6, 8, 14}},
		"d":     {Kind: Distance, Atoms: []int{0, 18}},
		"xyz.z": {Kind: Distance, Atoms: []int{0, 18}, Component: "z"},
		"a":     {Kind: Angle, Atoms: []int{0, 8, 18}},
		"b":     {Kind: Angle, Atoms: []int{4, 6, 8, 14}},
		"g":     {Kind: Gyration, Atoms: []int{0, 4, 6, 8, 14, 16, 18}},
	} {
		got := in.Variables[label]
		if got.Kind != want.Kind || !slices.Equal(got.Atoms, want.Atoms) || got.Component != want.Component ||
			got.Why != "" {
			t.Errorf("%s: got %+v", label, got)
		}
	}
	if n := len(in.Variables["all"].Atoms); n != 22 {
		t.Errorf("all: got %d atoms", n)
	}
	if len(in.Biases) != 1 || in.Biases[0].Temperature != 300 ||
		!slices.Equal(in.Biases[0].Arguments, []string{"phi", "d"}) ||
		in.Biases[0].High[1] != 1 ||
		in.Biases[0].Low[0] != -math.Pi {
		t.Errorf("biases: got %+v", in.Biases)
	}
}

func TestInputForms(t *testing.T) {
	in, err := ParseInput(strings.NewReader(`UNITS LENGTH=A ENERGY=kcal/mol TIME=fs
TORSION ATOMS=@phi-3 LABEL=t
t2: TORSION ...
  ATOMS={1, 2, 3, 4} NOPBC
...
c: COM ATOMS=1-3
d: DISTANCE ATOMS=c,7
e: DISTANCE ATOMS=1,2,3
r: GYRATION ATOMS=1-5 TYPE=ASPHERICITY
m: GYRATION ATOMS=1-5 MASS_WEIGHTED
cv: COORDINATION GROUPA=1 GROUPB=2 R_0=0.3
RESTRAINT ARG=d AT=1 KAPPA=3
PRINT ARG=* FILE=COLVAR
ENDPLUMED
nonsense:
`), "plumed.dat")
	if err != nil {
		t.Fatal(err)
	}
	if in.Length != 0.1 || in.Energy != 4.184 || in.Time != 0.001 {
		t.Errorf("units: got %g, %g, %g", in.Length, in.Energy, in.Time)
	}
	if v := in.Variables["t"]; v.Selector != "phi-3" || v.Why != "" {
		t.Errorf("selector: got %+v", v)
	}
	if v := in.Variables["t2"]; !slices.Equal(v.Atoms, []int{0, 1, 2, 3}) || !v.NoPBC {
		t.Errorf("braces: got %+v", v)
	}
	for label, want := range map[string]string{"c": "COM", "d": "c is no number", "e": "3 atoms", "r": "ASPHERICITY",
		"m": "MASS_WEIGHTED", "cv": "COORDINATION"} {
		if v := in.Variables[label]; !strings.Contains(v.Why, want) {
			t.Errorf("%s: got %+v, want %q", label, v, want)
		}
	}
	for _, bad := range []string{"d:\n", "METAD ...\nARG=d\n", "UNITS LENGTH=furlong\n", "UNITS NATURAL\n",
		"METAD ARG=d GRID_MIN=x\n"} {
		if _, err := ParseInput(strings.NewReader(bad), "plumed.dat"); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func FuzzInput(f *testing.F) {
	f.Add("d: DISTANCE ATOMS=1,2\nMETAD ...\nARG=d GRID_MIN=-pi\n...\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = ParseInput(strings.NewReader(s), "x")
	})
}

// Grids of one variable, and of variables that are no dihedrals.
func TestGridOfAnything(t *testing.T) {
	one := "#! FIELDS d metad.bias der_d\n#! SET min_d 0.2\n#! SET max_d 1.2\n#! SET nbins_d 50\n#! SET periodic_d " +
		"false\n"
	for i := range 51 {
		x := 0.2 + 0.02*float64(i)
		one += fmt.Sprintf("%.9f %.9f 0\n", x, math.Sin(5*x))
	}
	g, err := ParseGrid(strings.NewReader(one), "bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{0.2, 0.2111, 0.777, 1.1999, 1.2} {
		if got, err := g.At(x); err != nil || math.Abs(got-math.Sin(5*x)) > 1e-3 { // h³ = 8e-6 times 125
			t.Errorf("at %g: got %g, %v, want %g", x, got, err, math.Sin(5*x))
		}
	}
	for _, x := range []float64{0.19, 1.21, 0.3 + 2*math.Pi, math.Inf(1)} {
		if got, err := g.At(x); err == nil {
			t.Errorf("at %g: got %g and no error", x, got)
		}
	}
	if _, err := g.At(1, 2); err == nil {
		t.Error("a place of two variables: got no error")
	}
	if err := g.Dihedral(0); err != nil { // a part of a turn
		t.Error(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nine": {open(8, 8, 0, 9, false, wave), "farther than once round"},
		"period of one": {strings.Replace(one[:strings.LastIndex(one, "1.2")], "periodic_d false", "periodic_d true",
			1), "closes there"},
	} {
		g, err := ParseGrid(strings.NewReader(c.text), "bias.dat")
		if err == nil {
			err = g.Dihedral(0)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	table, err := ReadTable("testdata/COLVAR_plain")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Column("phi7"); !errors.Is(err, ErrColumn) || !strings.Contains(err.Error(), "metad.bias") {
		t.Errorf("no column: got %v", err)
	}
	if low, high, ok, err := table.domain("phi"); low != -math.Pi || high != math.Pi || !ok || err != nil {
		t.Errorf("phi: got %g, %g, %v, %v", low, high, ok, err)
	}
	if _, _, ok, err := table.domain("d"); ok || err != nil {
		t.Errorf("d: got %v, %v", ok, err)
	}
}

func ExampleHills_At() {
	h, err := ParseHills(strings.NewReader(`#! FIELDS time d sigma_d height biasf
1 0.5 0.1 1.25 5
2 0.7 0.1 1.25 5
`), "HILLS")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f %.3f kJ/mol\n", h.At([]float64{0.5}, 2), h.At([]float64{0.5}, math.Inf(1)))
	// Output: 1.000 1.135 kJ/mol
}

func BenchmarkHills(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		text, _ := hillsText(n, true)
		h, err := ParseHills(strings.NewReader(text), "HILLS")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				h.At([]float64{1, 1}, math.Inf(1))
			}
		})
	}
}
