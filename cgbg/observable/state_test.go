package observable

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// stateVariables are an angle, a length and a number.
func stateVariables(t testing.TB) []Variable {
	return []Variable{parsed(t, "phi", "phi(ALA2)"), parsed(t, "d", "distance(A,B)"), parsed(t, "n", "contacts(0.5)")}
}

// Every form against the same condition in Go, over the circle and beyond the interval, bounds themselves included.
func TestState(t *testing.T) {
	variables := stateVariables(t)
	values := map[string][]float64{}
	for phi := -180.; phi <= 180; phi += 7.5 {
		for d := 0.; d < 2; d += 0.125 {
			values["phi"] = append(values["phi"], phi/variables[0].Scale)
			values["d"] = append(values["d"], d)
			values["n"] = append(values["n"], math.Floor(4*d))
		}
	}
	for text, want := range map[string]func(phi, d, n float64) bool{
		"phi > 0":                     func(phi, _, _ float64) bool { return phi > 0 },
		"0 < phi":                     func(phi, _, _ float64) bool { return phi > 0 },
		"phi < -90":                   func(phi, _, _ float64) bool { return phi < -90 },
		"phi>=-90":                    func(phi, _, _ float64) bool { return phi >= -90 },
		"-90 ≤ phi ≤ 90":              func(phi, _, _ float64) bool { return math.Abs(phi) <= 90 },
		"0 < phi < 120":               func(phi, _, _ float64) bool { return 0 < phi && phi < 120 },
		"120 > phi > 0":               func(phi, _, _ float64) bool { return 0 < phi && phi < 120 },
		"150 < phi <= 210":            func(phi, _, _ float64) bool { return phi > 150 || phi <= -150 },
		"150 <= phi < 210":            func(phi, _, _ float64) bool { return phi >= 150 || phi < -150 },
		"-210 <= phi <= -150":         func(phi, _, _ float64) bool { return phi >= 150 || phi <= -150 },
		"510 <= phi <= 570":           func(phi, _, _ float64) bool { return phi >= 150 || phi <= -150 },
		"-180 <= phi <= 180":          func(_, _, _ float64) bool { return true },
		"2 <= n <= 2":                 func(_, _, n float64) bool { return n == 2 },
		"d<0.5 or d<1 and phi>0":      func(phi, d, _ float64) bool { return d < 0.5 || d < 1 && phi > 0 },
		"(d < 0.5 or d < 1) and n>=3": func(_, d, n float64) bool { return d < 1 && n >= 3 },
		"d > 5e-1 and (phi > 0)":      func(phi, d, _ float64) bool { return d > 0.5 && phi > 0 },
	} {
		s, err := ParseState("s", text, variables)
		if err != nil {
			t.Error(err)
			continue
		}
		in, err := s.In(values)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range in {
			phi := math.Round(10*values["phi"][i]*variables[0].Scale) / 10
			if want := want(phi, values["d"][i], values["n"][i]); got != want {
				t.Fatalf("%s at φ = %g, d = %g: got %v, want %v", text, phi, values["d"][i], got, want)
			}
		}
	}
}

// Law: bounds moved by whole turns are the same state, on any circle.
func TestStateTurns(t *testing.T) {
	v := Variable{Name: "x", Period: 0.7, Scale: 10}
	rng := newRNG(91)
	values := map[string][]float64{"x": nil}
	for range 1000 {
		values["x"] = append(values["x"], 0.7*(rng.Float64()-0.5))
	}
	read := func(text string) []bool {
		s, err := ParseState("s", text, []Variable{v})
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.In(values)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	want := read("2.5 < x < 5.5")
	if n := count(want); n < 350 || n > 500 { // 3 of 7
		t.Errorf("%d of 1000", n)
	}
	for _, text := range []string{"9.5 < x < 12.5", "-4.5 < x < -1.5", "x > 2.5 or x < -1.5"} {
		if !slices.Equal(read(text), want) {
			t.Errorf("%s is not 2.5 < x < 5.5", text)
		}
	}
}

func count(in []bool) (n int) {
	for _, yes := range in {
		if yes {
			n++
		}
	}
	return n
}

func TestStateErrors(t *testing.T) {
	variables := stateVariables(t)
	for text, want := range map[string]string{
		"":                         "at character 1: a variable or a number is missing",
		"phi":                      "at character 4: one of < <= > >= is wanted",
		"phi = 3":                  "at character 5: one of < <= > >= is wanted",
		"phi < d":                  "at character 1: a variable is compared with a number",
		"1 < 2":                    "a variable is compared with a number",
		"psi > 0":                  `at character 1: no variable "psi": there are ["phi" "d" "n"]`,
		"0 < phi > 1":              "at character 9: both comparisons go one way",
		"0 < phi < 1 < 2":          `at character 13: join further comparisons by "and"`,
		"phi > 0 < 3":              `join further comparisons by "and"`,
		"0 < phi < d":              "a variable is between two numbers",
		"phi > 0 and":              "at character 12: a variable or a number is missing",
		"phi > 0 phi < 1":          `at character 9: "phi" where "and", "or" or the end is wanted`,
		"(phi > 0":                 "at character 9: ) is missing",
		"phi > 0)":                 `at character 8: ")" where`,
		"170 < phi < -170":         "across the end of the circle it is 170 < phi < 190",
		"1 < d < 0.5":              "nothing is between 1 and 0.5; want the smaller one first",
		"d < 1 and 1 < d < 1":      "at character 11: nothing is between",
		"phi > 200":                "200 is not on the circle, -180 to 180",
		"0 < phi < 400":            "more than once round the circle",
		"phi > NaN":                `no variable "NaN"`,
		strings.Repeat("(", 1e5):   "more than 100 parentheses",
		"φ > 0 and phi > 0 or σ<1": `at character 1: no variable "φ"`,
	} {
		_, err := ParseState("s", text, variables)
		prefix := "observable: state s: "
		if err == nil || !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %.300v, want %q", text, err, want)
		}
	}
	s, err := ParseState("s", "phi > 0 and d < 1 or phi < -100", variables)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Variables(); !slices.Equal(got, []string{"phi", "d"}) {
		t.Errorf("variables: got %q", got)
	}
	for name, values := range map[string]map[string][]float64{
		"no d":    {"phi": {1}},
		"lengths": {"phi": {1}, "d": {1, 2}},
	} {
		if _, err := s.In(values); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if in, err := s.In(map[string][]float64{"phi": {math.NaN()}, "d": {1}}); err != nil || in[0] {
		t.Errorf("NaN: got %v, %v", in, err)
	}
	if _, err := (State{}).In(nil); err == nil {
		t.Error("no conditions: got no error")
	}
}

// What parses is of variables that are there, and of its text again the same state.
func FuzzParseState(f *testing.F) {
	for _, text := range []string{
		"phi > 0", "150<phi<=210 or (d ≥ .5 and 0 < n)", "((", "1<", "phi > 0 and and", "≤", "d<1e999"} {
		f.Add(text)
	}
	variables := stateVariables(f)
	values := map[string][]float64{"phi": {-3, 0, 3, 1}, "d": {0, 0.4, 1, math.NaN()}, "n": {0, 1, 2, 3}}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseState("s", text, variables)
		if err != nil {
			return
		}
		in, err := s.In(values)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := ParseState("s", s.Text, variables)
		if err != nil {
			t.Fatalf("%q: %v", s.Text, err)
		}
		if same, err := again.In(values); err != nil || !slices.Equal(in, same) {
			t.Errorf("%q: got %v, then %v, %v", text, in, same, err)
		}
	})
}
