package cgbg

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
)

// The residue that is scored is one that both have, the middle one, whatever comes first.
func TestScoredResidue(t *testing.T) {
	for _, c := range []struct {
		asked              string
		samples, reference []string
		of, in             string // "": refused
	}{
		{"", []string{"ALA2"}, []string{"ALA2"}, "ALA2", "ALA2"},
		{"", []string{"ALA3"}, []string{"ALA2", "ALA3", "ALA4"}, "ALA3", "ALA3"},
		{"", []string{"ALA2", "ALA3"}, []string{"ALA3", "ALA2"}, "ALA2", "ALA2"},
		{"", []string{"ALA2", "ALA3", "ALA4"}, []string{"ALA4", "ALA3", "ALA2"}, "ALA3", "ALA3"},
		{"ALA3", []string{"ALA2", "ALA3"}, []string{"ALA2", "ALA3"}, "ALA3", "ALA3"},
		{"ALA2=ALAD1", []string{"ALA2"}, []string{"ALAD1"}, "ALA2", "ALAD1"},
		{"", []string{"ALA2"}, []string{"ALAD1"}, "", ""},
		{"ALA4", []string{"ALA2"}, []string{"ALA2", "ALA4"}, "", ""},
		{"ALA2=ALA4", []string{"ALA2"}, []string{"ALA2"}, "", ""},
	} {
		of, in, _, err := scoredResidue(c.asked, c.samples, c.reference)
		if of != c.of || in != c.in || (err != nil) != (c.of == "") {
			t.Errorf("-residue %q of %q and %q: got %s and %s, %v, want %s and %s",
				c.asked, c.samples, c.reference, of, in, err, c.of, c.in)
		}
	}
}

// words are the names of a question's variables, and of those that are scored together.
func words(q *analysis.Question) (variables, scored string) {
	var list []string
	for _, v := range q.Variables {
		list = append(list, v.Name)
	}
	variables = strings.Join(list, " ")
	list = nil
	for _, k := range q.Scored[0].Variables {
		list = append(list, q.Variables[k].Name)
	}
	return variables, strings.Join(list, " ")
}

// angleFrames are frames of φ and ψ, [n, residues, 2].
func angleFrames(residues []string, r ...float32) (*data.Frames, data.Meta) {
	f := &data.Frames{Beads: len(residues), Dim: 2, R: r}
	m := data.Meta{Dim: 2, Temperature: 300}
	for _, name := range residues {
		m.Beads = append(m.Beads, name+":phi,psi")
	}
	return f, m
}

// A peptide is asked for φ and ψ of the residues that both have, whether frames are beads or dihedrals, and whatever a
// residue is called in either.
func TestAskPeptide(t *testing.T) {
	f, m := angleFrames([]string{"ALA2", "GLY3", "B/ALA-1"},
		0.1, 0.2, 0.3, 0.4, 0.5, 0.6, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6)
	o := ReportOptions{Reference: "md.arrow"}
	a, err := o.ask(f, m, f, m)
	if err != nil {
		t.Fatal(err)
	}
	variables, scored := words(a.samples)
	want := "phi_ALA2 psi_ALA2 phi_GLY3 psi_GLY3 phi_B_ALA-1 psi_B_ALA-1"
	if variables != want || scored != "phi_GLY3 psi_GLY3" {
		t.Errorf("got %s, scored on %s", variables, scored)
	}
	for k, want := range [][2]float32{{0.1, -0.1}, {0.2, -0.2}, {0.3, -0.3}, {0.4, -0.4}, {0.5, -0.5}, {0.6, -0.6}} {
		got, err := a.samples.Variables[k].Of(f, m)
		if err != nil || got[0] != float64(want[0]) || got[1] != float64(want[1]) {
			t.Errorf("%s: got %v, %v, want %v", a.samples.Variables[k].Name, got, err, want)
		}
	}
	note := "scored on phi and psi of GLY3; samples and reference have ALA2, GLY3, B/ALA-1 (-residue chooses)"
	if len(a.notes) != 1 || a.notes[0] != note {
		t.Errorf("got %q, want %q", a.notes, note)
	}
	// Beads of three residues, of which the outer ones lack a dihedral each: one is left.
	b := &data.Frames{Beads: 12, Dim: 3, R: threeResidues(rand.New(rand.NewPCG(2, 2)), 3, [3]float64{1, 1, 1})}
	meta := data.Meta{Beads: twelve, Dim: 3}
	residues, err := observable.Residues(b, meta)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = o.ask(b, meta, nil, data.Meta{}); err != nil || len(a.samples.Variables) != 2*len(residues) {
		t.Errorf("of %q: got %+v, %v", residues, a.samples, err)
	}
	// One residue under two names.
	g, h := angleFrames([]string{"ALAD1"}, 0.7, 0.8)
	o.Residue = "GLY3=ALAD1"
	if a, err = o.ask(f, m, g, h); err != nil {
		t.Fatal(err)
	}
	there, err := a.reference.Variables[0].Of(g, h)
	here, err2 := a.samples.Variables[0].Of(f, m)
	if err != nil || err2 != nil || there[0] != float64(float32(0.7)) || here[0] != float64(float32(0.3)) ||
		a.samples.Variables[0].Name != "phi_GLY3" || a.reference.Variables[0].Name != "phi_GLY3" {
		t.Errorf("got %v and %v, %v, %v", here, there, err, err2)
	}
	if want := "scored on phi and psi of GLY3, ALAD1 of the reference"; a.notes[0] != want {
		t.Errorf("got %q, want %q", a.notes, want)
	}
	// One that the reference lacks.
	o.Residue = ""
	g, h = angleFrames([]string{"ALA2", "ALA7"}, 0.7, 0.8, 0.9, 1)
	want = "scored on phi and psi of ALA2; samples or reference alone have GLY3, B/ALA-1, ALA7: " +
		"are they of the same molecule?"
	if a, err = o.ask(f, m, g, h); err != nil || a.notes[0] != want {
		t.Errorf("got %q, %v, want %q", a.notes, err, want)
	}
}

// Samples whose file tells nothing of the frames of their flow are held to a reference of the same beads, and the
// report has what was lost, how wide they are, and the residue.
func TestReportFidelity(t *testing.T) {
	samples, meta, err := data.ReadFile(filepath.FromSlash("../data/ala2/models/explicit_cb_samples_biased.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	reference, refMeta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	o := ReportOptions{Name: "s", Seed: 1, Reference: "frames"}
	e, err := o.evaluate(samples.Slice(0, 400), meta, reference.Slice(0, 3000), refMeta)
	if err != nil {
		t.Fatal(err)
	}
	f := e.Weights.Fidelity
	if note := "scored on phi and psi of ALA2"; !slices.Equal(e.Notes, []string{note}) || f.Centres != 1 ||
		f.Bonds != 5 ||
		f.Angles != 5 || f.WrongWeight != 0 {
		t.Errorf("got notes %q and %+v", e.Notes, f)
	}
	found := map[string]result.Result{}
	for _, r := range e.Results() {
		found[r.Name] = r
	}
	// The flow makes a few samples with the wrong hand (2 %), and bonds a little too wide; the potential does not.
	for name, want := range map[string][2]float64{"s/wrong_handedness": {0, 0.06}, "s/no_weight": {0, 0},
		"s/bond_width_before": {1, 1.4}, "s/bond_width": {0.85, 1.15},
		"s/angle_width_before": {0.9, 1.4}, "s/angle_width": {0.8, 1.2}} {
		if r, ok := found[name]; !ok || r.Value < want[0] || r.Value > want[1] || !(r.Error < 0.1) || r.N != 400 {
			t.Errorf("%s: got %+v, want %g to %g", name, r, want[0], want[1])
		}
	}
	three, threeMeta, err := data.ReadFile(filepath.FromSlash("../data/ala3/metad5_core-beta.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.evaluate(samples, meta, three.Slice(0, 100), threeMeta); err == nil ||
		!strings.Contains(err.Error(), "of another molecule") || !strings.Contains(err.Error(), "NME3:N") {
		t.Errorf("tri-alanine: got %v", err)
	}
	o.Residue = "GLY7"
	if _, err := o.evaluate(samples, meta, reference, refMeta); err == nil || !strings.Contains(err.Error(), "ALA2") {
		t.Errorf("no such residue: got %v", err)
	}
}

// A reference of other beads, or of another molecule, is told.
func TestOtherMolecule(t *testing.T) {
	of := func(system, mapping string, dim int, beads ...string) data.Meta {
		return data.Meta{System: system, Mapping: mapping, Dim: dim, Beads: beads}
	}
	three := of("tri", "core-beta", 3, "ACE1:C", "ALA2:N", "ALA3:N")
	for _, c := range []struct {
		reference data.Meta
		want      string
	}{
		{three, ""},
		{of("", "heavy-atom", 3, "ACE1:C", "ACE1:O"), ""},
		{of("tri", "dihedrals", 2, "ALA2:phi,psi"), ""},
		{of("di", "core-beta", 3, "ACE1:C", "ALA2:N", "NME3:N"), "the samples alone have the beads ALA3:N, the " +
			"reference alone NME3:N"},
		{of("", "core-beta", 3, "ACE1:C", "ALA2:N"), "beads ALA3:N, the reference alone no other ones"},
		{of("di", "dihedrals", 2, "ALA2:phi,psi"), "is of di, the samples are of tri"},
		{of("another name", "core-beta", 3, three.Beads...), ""},
	} {
		if got := otherMolecule(three, c.reference); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: got %q, want %q", c.reference, got, c.want)
		}
	}
}

// bent writes n frames of four beads a…d with weights: of bonds of 0.15 nm in right angles, with the torsion drawn
// from two states, the one at 60 degrees with a probability.
func bent(t *testing.T, n int, plus float64, seed uint64, edit func(f *data.Frames, m *data.Meta)) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	f := &data.Frames{Beads: 4, Dim: 3, LogW: make([]float64, n)}
	for range n {
		angle := -math.Pi / 2
		if rng.Float64() < plus {
			angle = math.Pi / 3
		}
		angle += 0.2 * rng.NormFloat64()
		d := func() float64 { return 0.003 * rng.NormFloat64() }
		// Looking from b to c, a points to x, d to the torsion's side.
		for _, p := range [][3]float64{{0.15 + d(), d(), 0}, {0, 0, 0}, {0, 0, 0.15 + d()},
			{0.15 * math.Cos(angle), 0.15 * math.Sin(angle), 0.15 + d()}} {
			f.R = append(f.R, float32(p[0]), float32(p[1]), float32(p[2]))
		}
	}
	m := data.Meta{System: "bent", Mapping: "my.map", Beads: strings.Split("abcd", ""), Dim: 3, Temperature: 300,
		Stride: 1, Units: data.Molecular}
	if edit != nil {
		edit(f, &m)
	}
	path := filepath.Join(t.TempDir(), "bent.arrow")
	if err := data.WriteFile(path, m, f); err != nil {
		t.Fatal(err)
	}
	return path
}

// Of any molecule a report has scores, populations and means of the variables that are asked for, or of its own, with a
// reference or without.
func TestReportOfAnything(t *testing.T) {
	samples, reference := bent(t, 2000, 0.3, 1, nil), bent(t, 2000, 0.3, 2, nil)
	variables, err := analysis.ParseVariables("", []analysis.Definition{{Name: "torsion", Text: "dihedral(a,b,c,d)"},
		{Name: "end", Text: "distance(a,d)"}})
	if err != nil {
		t.Fatal(err)
	}
	plus := []analysis.Definition{{Name: "plus", Text: "0 < torsion < 120"}}
	report := func(o ReportOptions) (map[string]result.Result, string) {
		t.Helper()
		dir := t.TempDir()
		o.Name, o.Seed = "s", 1
		e, err := Report(context.Background(), samples, dir, o)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]result.Result{}
		for _, r := range e.Results() {
			found[r.Name] = r
		}
		return found, dir
	}
	check := func(found map[string]result.Result, name string, want float64) {
		t.Helper()
		r, ok := found["s/"+name]
		if !ok || !(math.Abs(r.Value-want) < 5*r.Error) || !(r.Error > 0) {
			t.Errorf("%s: got %+v, want %g", name, r, want)
		}
	}
	found, dir := report(ReportOptions{Reference: reference, Variables: variables, States: plus})
	check(found, "population/plus", 0.3)
	check(found, "population/plus_reference", 0.3)
	// The mean direction of 0.3·e^{i60°} + 0.7·e^{−i90°}.
	check(found, "torsion/mean", math.Atan2(0.3*math.Sin(math.Pi/3)-0.7, 0.3*0.5)*180/math.Pi)
	for _, name := range []string{"js", "torsion/js", "end/js"} {
		if r := found["s/"+name]; !(r.Value >= 0 && r.Value < 3*r.Floor && r.Error > 0) {
			t.Errorf("%s: got %+v, near its floor as samples of one law are", name, r)
		}
	}
	for _, file := range ReportFiles(dir) {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	// Without a reference there are no scores; without variables there are those of the molecule.
	found, _ = report(ReportOptions{Variables: variables, States: plus})
	check(found, "population/plus", 0.3)
	if r, ok := found["s/torsion/js"]; ok {
		t.Errorf("a score against nothing: %+v", r)
	}
	found, _ = report(ReportOptions{Reference: reference,
		States: []analysis.Definition{{Name: "left", Text: "torsion_b_c < 0"}}})
	check(found, "population/left", 0.7)
	if _, ok := found["s/torsion_b_c/js"]; !ok {
		t.Errorf("the torsion is no default variable: %v", found)
	}
}

// What cannot be answered is refused with its name and the cure.
func TestReportErrors(t *testing.T) {
	samples := bent(t, 100, 0.3, 1, nil)
	far, err := analysis.ParseVariables("", []analysis.Definition{{Name: "far", Text: "distance(a,z)"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		samples string
		o       ReportOptions
		want    string
	}{
		"no weights": {bent(t, 100, 0.3, 1, func(f *data.Frames, _ *data.Meta) { f.LogW = nil }), ReportOptions{},
			"cgbg reweight"},
		"no temperature": {bent(t, 100, 0.3, 1, func(_ *data.Frames, m *data.Meta) { m.Temperature = 0 }),
			ReportOptions{},
			"-temperature"},
		"another temperature": {samples, ReportOptions{Reference: bent(t, 100, 0.3, 1,
			func(_ *data.Frames, m *data.Meta) { m.Temperature = 310 })}, "310 K"},
		"no such bead": {samples, ReportOptions{Variables: far}, `no bead "z"`},
		"no such variable": {samples, ReportOptions{States: []analysis.Definition{{Name: "s", Text: "omega > 0"}}},
			"omega"},
		"a reference of other beads": {samples, ReportOptions{Reference: bent(t, 100, 0.3, 1,
			func(_ *data.Frames, m *data.Meta) { m.Beads = strings.Split("wxyz", "") })}, `no bead "`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Report(context.Background(), c.samples, t.TempDir(), c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
