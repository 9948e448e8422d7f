package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// well is an asymmetric free energy over an interval, in three versions.
func well(lo, hi float64) []Series {
	var x, exact, before, after, e []float64
	for i := range 80 {
		u := (float64(i) + 0.5) / 80
		f := 60 * (u - 0.3) * (u - 0.3) * (1.4 - u)
		x, exact, e = append(x, lo+(hi-lo)*u), append(exact, f), append(e, 0.2+0.05*f)
		before, after = append(before, f+2*math.Sin(9*u)), append(after, f+0.4*math.Sin(7*u))
	}
	return []Series{
		{Name: "MD, reweighted", Role: Simulation, X: x, Y: exact, Error: e},
		{Name: "flow", Role: Before, X: x, Y: before, Error: e},
		{Name: "flow, reweighted", Role: After, X: x, Y: after, Error: e},
	}
}

// variables are eight panels with the same keys: lengths, a number without unit and angles.
func variables() []ProfilePanel {
	o := func(label string, circle bool) ProfileOptions {
		return ProfileOptions{XLabel: label, YLabel: "free energy, kJ/mol", YMax: 25, Circle: circle,
			Quality: &Quality{ESS: 0.26, KHat: 0.42, KThreshold: 0.7, Reliable: true}}
	}
	return []ProfilePanel{
		{well(0.15, 0.7), o("distance O–H, nm", false)},
		{torus(1), o("φ, degrees", true)},
		{torus(2.5), o("ψ, degrees", true)},
		{well(0.203, 0.297), o("radius of gyration, nm", false)},
		{well(-0.6, 0.1), o("cos θ", false)},
		{torus(0), o("ω, degrees", true)},
		{well(0, 12), o("contacts", false)},
		{well(1.1, 1.9), o("end-to-end distance, nm", false)},
	}
}

// stretched is a free energy over a length in nm and an angle in rad, not sampled where both are large.
func stretched(title string) Map {
	return Map{Title: title, F: func(d, psi float64) float64 {
		if d > 0.7 && math.Abs(psi) < 1 {
			return math.Inf(1)
		}
		return 8*(1-math.Cos(psi-2.6)) + 900*math.Pow(d-0.58+0.05*math.Cos(psi), 2)
	}}
}

func stretchedAxes() MapOptions {
	return MapOptions{XLabel: "distance, Å", YLabel: "ψ, degrees", XMin: 0.45, XMax: 0.8, XScale: 10, YCircle: true,
		Top: 20, Unit: "kJ/mol"}
}

func drawVariables(keep func(name string, p Picture, err error)) {
	panels := variables()
	for _, n := range []int{2, 3, 8} {
		p, err := FreeEnergies(panels[:n]...)
		keep("variables"+string(rune('0'+n)), p, err)
	}
	panels[1].Series = panels[1].Series[1:]
	p, err := FreeEnergies(panels[:5]...)
	keep("variables_own_keys", p, err)
	maps := []Map{stretched("explicit water"), stretched("OBC1"), stretched("OBC2"), stretched("vacuum")}
	for _, n := range []int{1, 4} {
		p, err = FreeEnergyMaps(maps[:n], stretchedAxes())
		keep("stretched"+string(rune('0'+n)), p, err)
	}
}

// words are the texts of a picture, in order.
func words(t *testing.T, p Picture) []string {
	t.Helper()
	var all []string
	inside := false
	for d := xml.NewDecoder(bytes.NewReader(p.SVG)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			inside = e.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				all = append(all, strings.TrimSpace(string(e)))
			}
		}
	}
}

func count(list []string, word string) int {
	n := 0
	for _, w := range list {
		if w == word {
			n++
		}
	}
	return n
}

// Letters and labels stand once for each panel; what all panels of rows have in common stands once, else in each.
func TestPanelsOfAnyVariables(t *testing.T) {
	own := variables()
	own[2].Series = own[2].Series[1:]
	doubt := variables()
	doubt[0].Options.Quality = nil
	const remark = "reweighted: ESS 26 %, Pareto k 0.42"
	for name, c := range map[string]struct {
		panels       []ProfilePanel
		keys, others int // of the series "MD, reweighted" and "flow"
		remarks      int
	}{
		"one":                 {variables()[:1], 1, 1, 1},
		"two":                 {variables()[:2], 2, 2, 2},
		"three":               {variables()[:3], 1, 1, 1},
		"eight":               {variables(), 1, 1, 1},
		"a series less":       {own[:4], 3, 4, 4},
		"a panel not weighed": {doubt[:3], 3, 3, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := FreeEnergies(c.panels...)
			if err != nil {
				t.Fatal(err)
			}
			w := words(t, p)
			got := [3]int{count(w, "MD, reweighted"), count(w, "flow"), count(w, remark)}
			if want := [3]int{c.keys, c.others, c.remarks}; got != want {
				t.Errorf("%d keys, %d of the second and %d remarks, want %v", got[0], got[1], got[2], want)
			}
			for i, v := range c.panels {
				want := 1
				if len(c.panels) == 1 {
					want = 0
				}
				if got := count(w, string(rune('a'+i))); got != want {
					t.Errorf("the letter of panel %d stands %d times, want %d", i+1, got, want)
				}
				if got := count(w, v.Options.XLabel); got != 1 {
					t.Errorf("%q stands %d times", v.Options.XLabel, got)
				}
			}
		})
	}
}

// An interval keeps its unit, a circle is in degrees.
func TestUnitsOfPanels(t *testing.T) {
	p, err := FreeEnergies(variables()[:2]...)
	if err != nil {
		t.Fatal(err)
	}
	w := words(t, p)
	for _, tick := range []string{"0.2", "0.7", "−180", "90"} {
		if count(w, tick) != 1 {
			t.Errorf("the tick %q stands %d times in %q", tick, count(w, tick), w)
		}
	}
}

// One panel is a profile; a pair is two panels, with letters only where they are given.
func TestFreeEnergiesOfFewPanels(t *testing.T) {
	v := variables()
	one, err := FreeEnergies(v[0])
	if err != nil {
		t.Fatal(err)
	}
	profile, err := FreeEnergyProfile(v[0].Series, v[0].Options)
	if err != nil || !bytes.Equal(one.SVG, profile.SVG) {
		t.Errorf("one panel and a profile differ (%v)", err)
	}
	plain, err := freeEnergyPair(v[1].Series, v[2].Series, v[1].Options, v[2].Options)
	if err != nil || count(words(t, plain), "a") != 0 {
		t.Errorf("a pair without letters has some (%v)", err)
	}
	v[1].Options.Letter, v[2].Options.Letter = "a", "b"
	pair, err := freeEnergyPair(v[1].Series, v[2].Series, v[1].Options, v[2].Options)
	if err != nil {
		t.Fatal(err)
	}
	v[1].Options.Letter, v[2].Options.Letter = "", ""
	two, err := FreeEnergies(v[1], v[2])
	if err != nil || !bytes.Equal(pair.PNG, two.PNG) || !bytes.Equal(pair.SVG, two.SVG) {
		t.Errorf("a pair and two panels differ (%v)", err)
	}
}

func TestBadPanels(t *testing.T) {
	v := variables()
	degreesForRad := ProfilePanel{Series: []Series{{X: []float64{-170, 170}, Y: []float64{0, 1}}},
		Options: ProfileOptions{XLabel: "φ", Circle: true}}
	for name, c := range map[string]struct {
		panels []ProfilePanel
		want   string
	}{
		"none":              {nil, "0 panels"},
		"nine":              {append(v, v[0]), "9 panels"},
		"no series":         {[]ProfilePanel{v[0], {}}, "panel 2"},
		"degrees":           {[]ProfilePanel{v[0], degreesForRad}, "panel 2 (φ)"},
		"degrees, one":      {[]ProfilePanel{degreesForRad}, "want angles in rad"},
		"lengths of series": {[]ProfilePanel{{Series: []Series{{X: []float64{1}}}}, v[0]}, "panel 1"},
	} {
		_, err := FreeEnergies(c.panels...)
		if err == nil || !strings.HasPrefix(err.Error(), "figure: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func TestNamed(t *testing.T) {
	p := Picture{PNG: []byte("png"), SVG: []byte("svg")}
	f := p.Named("profiles", "free energies")
	if f.Name != "profiles" || f.Alt != "free energies" || string(f.PNG) != "png" || string(f.SVG) != "svg" {
		t.Errorf("got %+v", f)
	}
}
