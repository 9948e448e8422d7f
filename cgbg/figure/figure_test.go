package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxPNG keeps several pictures within the 300 KiB of a notebook, maxPagePNG one of a full page beside others.
const maxPNG, maxPagePNG = 80 << 10, 100 << 10

// wells is a rugged surface with two deep minima (the Müller–Brown numbers of arXiv 2602.10637, Eq. 33).
func wells(x, y float64) float64 {
	g := func(a, b, c, d, x0, y0 float64) float64 {
		dx, dy := x-x0, y-y0
		return a * math.Exp(b*dx*dx+c*dx*dy+d*dy*dy)
	}
	return g(-17.3, -0.0039, 0, -0.0391, 48, 8) + g(-8.7, -0.0039, 0, -0.0391, 32, 16) +
		g(-14.7, -0.0254, 0.043, -0.0254, 24, 32) + g(1.3, 0.00273, 0.0023, 0.00273, 16, 24)
}

// marginal is −ln ∫ exp(−u) dy by a plain sum, from its minimum.
func marginal(n int) (x, f []float64) {
	low := math.Inf(1)
	for i := range n {
		xi := 10 + 40*(float64(i)+0.5)/float64(n)
		var s float64
		for y := -10.0; y <= 60; y += 0.25 {
			s += math.Exp(-wells(xi, y))
		}
		x, f = append(x, xi), append(f, -math.Log(s))
		low = math.Min(low, f[i])
	}
	for i := range f {
		f[i] -= low
	}
	return x, f
}

// near is f with a wobble of the given size and a band.
func wobble(x, f []float64, size, phase float64) (y, e []float64) {
	for i := range f {
		y = append(y, f[i]+size*math.Sin(1.7*x[i]+phase))
		e = append(e, 0.03+size*0.3*math.Exp(f[i]/4))
	}
	return y, e
}

func fig2() MuellerBrown {
	x, f := marginal(200)
	set := func(scale float64) []Series {
		sim, es := wobble(x, f, 0.05, 1)
		before, eb := wobble(x, f, 0.5*scale, 2)
		after, ea := wobble(x, f, 0.1*scale, 3)
		return []Series{
			{Name: "exact", Role: Exact, X: x, Y: f},
			{Name: "MD", Role: Simulation, X: x, Y: sim, Error: es},
			{Name: "flow", Role: Before, X: x, Y: before, Error: eb},
			{Name: "flow, reweighted", Role: After, X: x, Y: after, Error: ea},
		}
	}
	density := func(f []float64, bias float64) []float64 {
		p := make([]float64, len(f))
		var s float64
		for i := range f {
			p[i] = math.Exp(-f[i] + bias*4*math.Exp(-(x[i]-32)*(x[i]-32)/50))
			s += p[i] * 0.2
		}
		for i := range p {
			p[i] /= s
		}
		return p
	}
	sim, _ := wobble(x, f, 0.05, 1)
	s := Surface{U: wells, XMin: 10, XMax: 50, YMin: 0, YMax: 50}
	for i := range 400 {
		a := float64(i)
		s.PathX = append(s.PathX, 23+3*math.Sin(0.7*a)*math.Cos(0.11*a))
		s.PathY = append(s.PathY, 31+3*math.Sin(0.7*a+0.5)*math.Cos(0.11*a))
	}
	return MuellerBrown{
		Surface: s,
		Density: []Series{
			{Name: "exact", Role: Exact, X: x, Y: density(f, 0)},
			{Name: "MD", Role: Simulation, X: x, Y: density(sim, 0), Steps: true},
			{Name: "MD, biased", Role: Biased, X: x, Y: density(sim, 1), Steps: true},
		},
		Unbiased: set(0.6), Biased: set(1.5),
		UnbiasedQuality: &Quality{ESS: 0.91, KHat: 0.31, KThreshold: 0.7, Reliable: true},
		BiasedQuality:   &Quality{ESS: 0.004, KHat: 0.94, KThreshold: 0.7},
	}
}

func torus(phase float64) []Series {
	var x, sim, es, before, after []float64
	for i := range 90 {
		a := -math.Pi + 2*math.Pi*(float64(i)+0.5)/90
		f := 10 + 9*math.Cos(a-phase) - 3*math.Cos(2*a+0.4)
		x, sim, es = append(x, a), append(sim, f), append(es, 0.3+0.03*f)
		before, after = append(before, f+3*math.Sin(3*a)), append(after, f+math.Sin(5*a))
	}
	before[40], before[41] = math.Inf(1), math.Inf(1)
	return []Series{
		{Name: "MD, reweighted", Role: Simulation, X: x, Y: sim, Error: es},
		{Name: "flow", Role: Before, X: x, Y: before, Error: es},
		{Name: "flow, reweighted", Role: After, X: x, Y: after, Error: es},
	}
}

func drawings(t *testing.T) map[string]Picture {
	t.Helper()
	out := map[string]Picture{}
	keep := func(name string, p Picture, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = p
	}
	m := fig2()
	p, err := m.Combined()
	keep("fig2", p, err)
	o := ProfileOptions{XLabel: "φ / °", YLabel: "F / (kJ/mol)", YMax: 25, Circle: true,
		Quality: &Quality{ESS: 0.0004, KHat: 1.3, KThreshold: 0.7}, Letter: "a"}
	right := o
	right.XLabel, right.Letter = "ψ / °", "b"
	p, err = freeEnergyPair(torus(1), torus(2.5), o, right)
	keep("pair", p, err)
	p, err = FreeEnergyProfile(torus(1), o)
	keep("profile", p, err)
	var steps, loss, val []float64
	for i := range 300 {
		s := float64(i * 50)
		steps = append(steps, s)
		loss = append(loss, 2+30*math.Exp(-s/2000)+0.3*math.Sin(9*s))
		val = append(val, 2.1+31*math.Exp(-s/2000))
	}
	p, err = LossCurve(Series{X: steps, Y: loss}, Series{X: steps, Y: val}, LossOptions{Floor: 1.8})
	keep("loss", p, err)
	for i := range loss {
		loss[i] -= 20
	}
	p, err = LossCurve(Series{X: steps, Y: loss}, Series{}, LossOptions{XLabel: "epoch", Floor: math.NaN()})
	keep("loss_linear", p, err)
	var logw []float64
	for i := range 5000 {
		u := (float64(i) + 0.5) / 5000
		logw = append(logw, 0.6*math.Log(1/(1-u))-0.8*math.Log(1/u))
	}
	logw = append(logw, math.Inf(-1))
	p, err = WeightHistogram(logw, &Quality{ESS: 0.3, KHat: 0.55, KThreshold: 0.7, Reliable: true})
	keep("weights", p, err)
	p, err = WeightHistogram(make([]float64, 1000), nil)
	keep("weights_constant", p, err)
	x, f := marginal(200)
	y, e := wobble(x, f, 0.05, 0)
	lines := []Series{{Name: "exact", Role: Exact, X: x, Y: f},
		{Name: "learned PMF", Role: Learned, X: x, Y: y, Error: e}}
	p, err = Lines(lines, LinesOptions{XLabel: "x", YLabel: "U / kT", Difference: true,
		DifferenceLabel: "U − exact / kT", Remark: "RMS error 0.03 kT"})
	keep("lines_difference", p, err)
	p, err = Lines(lines, LinesOptions{XLabel: "x", YLabel: "U / kT"})
	keep("lines", p, err)
	errors := []Series{
		{Name: "joint", Role: Before, X: []float64{30, 90, 400}, Y: []float64{0.3, 2e-2, 1e-4},
			Error: []float64{0.4, 5e-3, 1e-5}},
		{Name: "apart", Role: After, X: []float64{17, 33, 65}, Y: []float64{5e-3, 1e-3, 2e-4}}}
	p, err = Lines(errors, LinesOptions{XLabel: "divergences", YLabel: "error / nat", LogX: true, LogY: true,
		Points: true})
	keep("points_log", p, err)
	p, err = Lines(errors[:1], LinesOptions{XLabel: "steps", YLabel: "−ln q / nat", Points: true})
	keep("points", p, err)
	p, err = Dots([]DotSeries{
		{Name: "measured, scaled", Role: After, Y: []float64{3.4, 15, 220}, Low: []float64{3, 13, 190},
			High: []float64{3.6, 20, 260}},
		{Name: "another", Role: Learned, Y: []float64{0.08, 0.2, 1.1}, Low: []float64{0.07, 0.19, 1},
			High: []float64{0.09, 0.3, 1.2}},
		{Name: "published, A100", Role: Exact, Y: []float64{0.84, 3.46, math.NaN()}, Cited: true},
	}, DotsOptions{Categories: []string{"Core Beta", "Heavy Atom", "All Atom"}, XLabel: "mapping",
		YLabel: "time for 10,000 samples, min", Remark: "bars: range of the repeats"})
	keep("dots", p, err)
	p, err = EnergyHistograms(bells(-40, 12, "MD"))
	keep("energies", p, err)
	bond := bells(0.1335, 0.0025, "C–N of ACE and ALA")
	p, err = BondLengths(bond, bond, bond)
	keep("bonds_three", p, err)
	p, err = BondLengths(bond, bells(0.1335, 0.0025, ""))
	keep("bonds", p, err)
	maps := []ramachandran{basins("explicit water"), basins("explicit water, short"), basins("OBC1"), basins("OBC2")}
	for n := 1; n <= len(maps); n++ {
		p, err = ramachandranMaps(maps[:n], 5.25, "kcal/mol")
		keep("maps"+string(rune('0'+n)), p, err)
	}
	drawVariables(keep)
	return out
}

// Every picture decodes, has 1000 pixels or more, is small enough for a notebook, and its SVG is plain XML without
// scripts.
// FIGURE_DIR names a folder to leave the pictures in.
func TestPictures(t *testing.T) {
	dir := os.Getenv("FIGURE_DIR")
	for name, p := range drawings(t) {
		img, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w := img.Bounds().Dx(); w < int(columnWidth/72*columnDPI)-1 {
			t.Errorf("%s: %d pixels wide", name, w)
		}
		limit := maxPNG
		if img.Bounds().Dy() > 1200 { // a page
			limit = maxPagePNG
		}
		if len(p.PNG) > limit {
			t.Errorf("%s: PNG of %d bytes, want at most %d", name, len(p.PNG), limit)
		}
		if err := plainSVG(p.SVG); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir == "" {
			continue
		}
		for ext, data := range map[string][]byte{".png": p.PNG, ".svg": p.SVG} {
			if err := os.WriteFile(filepath.Join(dir, name+ext), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func plainSVG(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	root := ""
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			root = e.Name.Local
		}
		if strings.EqualFold(e.Name.Local, "script") || strings.EqualFold(e.Name.Local, "foreignObject") {
			return errors.New("it holds a " + e.Name.Local)
		}
		if e.Name.Local == "image" && !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool {
			return a.Name.Local == "preserveAspectRatio" && a.Value == "none"
		}) {
			return errors.New("an image keeps its own shape and so leaves its axes")
		}
		for _, a := range e.Attr {
			if strings.Contains(a.Value, "#-") || strings.Contains(a.Value, "NaN") {
				return errors.New("not a colour or a number: " + a.Value)
			}
			if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || strings.HasPrefix(a.Value, "javascript:") {
				return errors.New("it holds the attribute " + a.Name.Local)
			}
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "data:image/png") {
				return errors.New("it refers outside")
			}
		}
	}
	if root != "svg" {
		return errors.New("its root is " + root)
	}
	return nil
}

// The same input gives the same bytes.
func TestDeterministic(t *testing.T) {
	a, err := fig2().Combined()
	if err != nil {
		t.Fatal(err)
	}
	b, err := fig2().Combined()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.PNG, b.PNG) || !bytes.Equal(a.SVG, b.SVG) {
		t.Error("two drawings differ")
	}
}

func TestBadInput(t *testing.T) {
	bad := []Series{{Name: "s", X: []float64{1, 2}, Y: []float64{1}}}
	good := []Series{
		{Name: "a", X: []float64{1, 2}, Y: []float64{1, 2}}, {Name: "b", X: []float64{1, 3}, Y: []float64{1, 2}}}
	for name, f := range map[string]func() error{
		"lengths":    func() error { _, err := FreeEnergyProfile(bad, ProfileOptions{}); return err },
		"nothing":    func() error { _, err := Lines(nil, LinesOptions{}); return err },
		"difference": func() error { _, err := Lines(good, LinesOptions{Difference: true}); return err },
		"logarithm of zero": func() error {
			_, err := Lines([]Series{{X: []float64{1, 2}, Y: []float64{0, 1}}}, LinesOptions{LogY: true})
			return err
		},
		"difference of points": func() error {
			line := Series{X: []float64{1, 2}, Y: []float64{2, 1}}
			_, err := Lines([]Series{line, line}, LinesOptions{Difference: true, Points: true})
			return err
		},
		"x falls": func() error {
			_, err := Lines([]Series{{X: []float64{2, 1}, Y: []float64{1, 2}}}, LinesOptions{})
			return err
		},
		"no loss":   func() error { _, err := LossCurve(Series{}, Series{}, LossOptions{}); return err },
		"no weight": func() error { _, err := WeightHistogram([]float64{math.Inf(-1)}, nil); return err },
		"NaN":       func() error { _, err := WeightHistogram([]float64{math.NaN()}, nil); return err },
		"surface":   func() error { _, err := MuellerBrown{}.Combined(); return err },
		"no panel":  func() error { _, err := BondLengths(); return err },
		"negative": func() error {
			_, err := EnergyHistograms(Distribution{Series: []Series{{X: []float64{1, 2}, Y: []float64{1, -1}}}})
			return err
		},
		"zero on a log axis": func() error {
			_, err := Dots([]DotSeries{{Y: []float64{0}}}, DotsOptions{Categories: []string{"a"}})
			return err
		},
		"dots without a category": func() error {
			_, err := Dots([]DotSeries{{Y: []float64{1, 2}}}, DotsOptions{Categories: []string{"a"}})
			return err
		},
		"no dots": func() error {
			_, err := Dots([]DotSeries{{Y: []float64{math.NaN()}}}, DotsOptions{Categories: []string{"a"}})
			return err
		},
		"half a bar": func() error {
			_, err := Dots([]DotSeries{{Y: []float64{1}, Low: []float64{1}}}, DotsOptions{Categories: []string{"a"}})
			return err
		},
		"no map": func() error { _, err := ramachandranMaps(nil, 5, "kT"); return err },
	} {
		if err := f(); err == nil || !strings.HasPrefix(err.Error(), "figure: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	empty := Series{Name: "all empty", X: []float64{1, 2}, Y: []float64{math.NaN(), math.Inf(1)}}
	p, err := FreeEnergyProfile([]Series{empty}, ProfileOptions{})
	if err != nil || len(p.PNG) == 0 {
		t.Errorf("an empty profile: %v", err)
	}
}

// Law: the contour of x² + y² at r² is one closed line of that radius.
func TestContourOfCircle(t *testing.T) {
	const n = 60
	u := make([]float64, (n+1)*(n+1))
	for i := range n + 1 {
		for j := range n + 1 {
			x, y := float64(i)-30.3, float64(j)-29.6
			u[i*(n+1)+j] = x*x + y*y
		}
	}
	lines := trace(u, n, 400)
	if len(lines) != 1 {
		t.Fatalf("got %d lines, want 1", len(lines))
	}
	l := lines[0]
	if l[0] != l[len(l)-1] || len(l) < 100 {
		t.Errorf("the line of %d points is not closed", len(l))
	}
	for _, p := range l {
		// Linear interpolation: 1/(4·2r) at most, twice on diagonals.
		if r := math.Hypot(p[0]-30.3, p[1]-29.6); math.Abs(r-20) > 0.03 {
			t.Errorf("a point at radius %g", r)
		}
	}
	if lines := trace(u, n, 1500); len(lines) != 4 { // the four corners
		t.Errorf("got %d lines at the corners, want 4", len(lines))
	}
}

func BenchmarkCombined(b *testing.B) {
	m := fig2()
	for b.Loop() {
		if _, err := m.Combined(); err != nil {
			b.Fatal(err)
		}
	}
}
