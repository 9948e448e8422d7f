package cgbg

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
)

// threeResidues are frames of N, CA, CB and C of three residues in a row, turned in space: corners of tetrahedra on a zigzag of 0.15 nm bonds, each with a hand,
// +1 or −1, and with noise.
func threeResidues(rng *rand.Rand, n int, hands [3]float64) (r []float32) {
	for range n {
		a, b := 2*math.Pi*rng.Float64(), math.Acos(2*rng.Float64()-1)
		for k := range 9 { // N, CA, C of each: in a plane, CB beside it
			x := [3]float64{0.125 * float64(k), 0.04 * float64(1-2*(k%2)), 0}
			list := [][3]float64{x}
			if k%3 == 1 {
				list = append(list, [3]float64{x[0], x[1] * 3, 0.13 * hands[k/3]})
			}
			for _, p := range list {
				for axis := range p {
					p[axis] += 0.003 * rng.NormFloat64()
				}
				y := [3]float64{math.Cos(a)*p[0] - math.Sin(a)*p[1], math.Sin(a)*p[0] + math.Cos(a)*p[1], p[2]}
				y[1], y[2] = math.Cos(b)*y[1]-math.Sin(b)*y[2], math.Sin(b)*y[1]+math.Cos(b)*y[2]
				r = append(r, float32(y[0]), float32(y[1]), float32(y[2]))
			}
		}
	}
	return r
}

// Of three residues, under whatever names of beads, samples of all other hands lose their weight.
func TestEveryCentreCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	named := []string{"ALA1:N", "ALA1:CA", "ALA1:CB", "ALA1:C", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "ALA3:N", "ALA3:CA", "ALA3:CB", "ALA3:C"}
	for _, beads := range [][]string{named, strings.Split("a b c d e f g h i j k l", " ")} {
		frames := &data.Frames{Beads: 12, Dim: 3, R: threeResidues(rng, 200, [3]float64{1, 1, 1})}
		card := &Card{Beads: beads}
		card.study(frames)
		if n := len(card.ChiralCentres); n != 3 {
			t.Fatalf("%q: got %d centres, want 3: %+v", beads, n, card.ChiralCentres)
		}
		if got, want := card.Handedness != 0, beads[0] == "ALA1:N"; got != want {
			t.Errorf("%q: a hand by names: got %v, want %v", beads, got, want)
		}
		var r []float64
		for code := range 8 {
			sign := func(bit int) float64 { return 1 - 2*float64(code>>bit&1) }
			r = append(r, widened(threeResidues(rng, 1, [3]float64{sign(2), sign(1), sign(0)}))...)
		}
		logw := make([]float64, 8)
		card.discard(logw, r)
		for code, w := range logw {
			if got, want := !math.IsInf(w, -1), code == 0; got != want {
				t.Errorf("%q: of hands %03b (1: D): got a weight %v, want %v", beads, code, got, want)
			}
		}
		// What the samples' file tells is the same again, and a report finds it.
		meta := withGeometry(data.Meta{Beads: beads}, card.geometry())
		f := &data.Frames{Beads: 12, Dim: 3, R: rounded(r), LogW: logw}
		f.LogW[0] = 1
		like, err := fidelity(f, meta)
		if err != nil || like.Centres != 3 || like.WrongHand != reweight.Share(7, 8) || like.NoWeight.Value != 0 || like.WrongWeight != 0 || like.Bonds != 11 {
			t.Errorf("%q: got %+v, %v", beads, like, err)
		}
		f.LogW = make([]float64, 8) // as if only some centres had counted
		if like, err = fidelity(f, meta); err != nil || math.Abs(like.WrongWeight-7./8) > 1e-12 {
			t.Errorf("%q: weight of wrong hands: got %+v, %v", beads, like, err)
		}
	}
	// Frames of both hands have no centre there.
	both := &Card{Beads: named}
	both.study(&data.Frames{Beads: 12, Dim: 3, R: append(threeResidues(rng, 100, [3]float64{1, 1, 1}), threeResidues(rng, 100, [3]float64{1, -1, 1})...)})
	if len(both.ChiralCentres) != 2 || both.Handedness != 0 {
		t.Errorf("of both hands: got %+v, hand %g", both.ChiralCentres, both.Handedness)
	}
}

// A card of an earlier version tells the hand of the first residue's CA, and says the same as a new one of the same frames; a card of today
// is read as it was written, without centres, too.
func TestOldCards(t *testing.T) {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	card := &Card{Beads: meta.Beads}
	card.study(frames)
	old := &Card{Beads: meta.Beads, Handedness: card.Handedness}
	mirrored := widened(frames.R[:frames.Width()])
	if !card.keep()(mirrored) || !old.keep()(mirrored) {
		t.Error("a frame has the wrong hand")
	}
	for i := range mirrored {
		mirrored[i] *= -1
	}
	if card.keep()(mirrored) || old.keep()(mirrored) {
		t.Error("the mirror image of a frame has the right hand")
	}
	if c := (&Card{Beads: []string{"a", "b"}, Handedness: 1}); c.keep() != nil || c.geometry() != nil {
		t.Error("a hand without a centre")
	}
	for _, centres := range [][]topology.Centre{card.ChiralCentres, {}} {
		path := filepath.Join(t.TempDir(), "flow.npz")
		if err := (&Card{Beads: meta.Beads, Handedness: 1, ChiralCentres: centres}).write(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadCard(path)
		if err != nil || !slices.Equal(got.geometry().Centres, centres) {
			t.Errorf("got %+v, want %+v, %v", got, centres, err)
		}
	}
	for _, bad := range []string{"{", `{"chiral_centres":[{"beads":[0,1,2,6],"sign":1}]}`, `{"chiral_centres":[{"beads":[0,1,2,3],"sign":0}]}`, `{"bonds":[{"beads":[1,1],"sd":1}]}`, `{"angles":[{"beads":[0,1,2]}]}`} {
		if g, err := geometryOf(data.Meta{Beads: meta.Beads, Extra: map[string]string{keyGeometry: bad}}); err == nil {
			t.Errorf("%s: got %+v", bad, g)
		}
	}
}

// A model of an earlier version that is taken up gets what its card lacks.
func TestOldCardGetsCentres(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	b, err := backend.Open()
	if err != nil {
		t.Fatal(err)
	}
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "frames.arrow"), filepath.Join(dir, "pmf.npz")
	if err := data.WriteFile(in, meta, frames.Slice(0, 600)); err != nil {
		t.Fatal(err)
	}
	train := func() *Card {
		card, _, err := TrainPMF(context.Background(), b, in, out, TrainOptions{Preset: "small", Potential: Invariant, Epochs: 1, Width: 8})
		if err != nil {
			t.Fatal(err)
		}
		return card
	}
	want := train()
	text, err := os.ReadFile(cardPath(out))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"chiral_centres", "bonds", "angles"} {
		if fields[name] == nil {
			t.Errorf("the card has no %s", name)
		}
		delete(fields, name)
	}
	if err := writeJSON(cardPath(out), fields); err != nil {
		t.Fatal(err)
	}
	if got := train(); !slices.Equal(got.ChiralCentres, want.ChiralCentres) || len(got.Bonds) != 5 || !got.Made.Equal(want.Made) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := ReadCard(out); err != nil || len(got.ChiralCentres) != 1 {
		t.Errorf("on disk: got %+v, %v", got, err)
	}
}

// The residue that is scored is one that both have, whatever comes first.
func TestScoredResidue(t *testing.T) {
	for _, c := range []struct {
		asked              string
		samples, reference []string
		of, in             string // "": refused
	}{
		{"", []string{"ALA2"}, []string{"ALA2"}, "ALA2", "ALA2"},
		{"", []string{"ALA3"}, []string{"ALA2", "ALA3", "ALA4"}, "ALA3", "ALA3"},
		{"", []string{"ALA2", "ALA3"}, []string{"ALA3", "ALA2"}, "ALA2", "ALA2"},
		{"ALA3", []string{"ALA2", "ALA3"}, []string{"ALA2", "ALA3"}, "ALA3", "ALA3"},
		{"ALA2=ALAD1", []string{"ALA2"}, []string{"ALAD1"}, "ALA2", "ALAD1"},
		{"", []string{"ALA2"}, []string{"ALAD1"}, "", ""},
		{"ALA4", []string{"ALA2"}, []string{"ALA2", "ALA4"}, "", ""},
		{"ALA2=ALA4", []string{"ALA2"}, []string{"ALA2"}, "", ""},
	} {
		of, in, _, err := scoredResidue(c.asked, c.samples, c.reference)
		if of != c.of || in != c.in || (err != nil) != (c.of == "") {
			t.Errorf("-residue %q of %q and %q: got %s and %s, %v, want %s and %s", c.asked, c.samples, c.reference, of, in, err, c.of, c.in)
		}
	}
}

// Every residue has its own dihedrals, whether frames are beads or dihedrals.
func TestResidueDihedrals(t *testing.T) {
	f := &data.Frames{Beads: 2, Dim: 2, R: []float32{0.1, 0.2, 0.3, 0.4, -0.1, -0.2, -0.3, -0.4}}
	m := data.Meta{Beads: []string{"ALA2:phi,psi", "GLY3:phi,psi"}, Dim: 2}
	name, phi, psi, err := residueDihedrals(f, m, "GLY3")
	if err != nil || name != "GLY3" || phi[1] != float64(float32(-0.3)) || psi[0] != float64(float32(0.4)) {
		t.Errorf("got %s, %v, %v, %v", name, phi, psi, err)
	}
	if _, _, _, err := residueDihedrals(f, m, "ALA4"); err == nil || !strings.Contains(err.Error(), "GLY3") {
		t.Errorf("no such residue: got %v", err)
	}
	beads := []string{"ALA1:N", "ALA1:CA", "ALA1:CB", "ALA1:C", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "ALA3:N", "ALA3:CA", "ALA3:CB", "ALA3:C"}
	residues, err := cgmap.Backbone(beads)
	if err != nil {
		t.Fatal(err)
	}
	f = &data.Frames{Beads: 12, Dim: 3, R: threeResidues(rand.New(rand.NewPCG(2, 2)), 3, [3]float64{1, 1, 1})}
	if name, phi, _, err := residueDihedrals(f, data.Meta{Beads: beads, Dim: 3}, ""); err != nil || name != residues[0].Name || len(phi) != 3 {
		t.Errorf("got %s, %v, %v", name, phi, err)
	}
}

// Samples whose file tells nothing of the frames of their flow are held to a reference of the same beads, and the report has what
// was lost, how wide they are, and the residue.
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
	if e.Residue != "ALA2" || f.Centres != 1 || f.Bonds != 5 || f.Angles != 5 || f.WrongWeight != 0 {
		t.Errorf("got residue %s and %+v", e.Residue, f)
	}
	found := map[string]Result{}
	for _, r := range e.Results() {
		found[r.Name] = r
	}
	// The flow makes a few samples with the wrong hand (2 %), and bonds a little too wide; the potential has the right ones.
	for name, want := range map[string][2]float64{"s/wrong_handedness": {0, 0.06}, "s/no_weight": {0, 0}, "s/bond_width_before": {1, 1.4}, "s/bond_width": {0.85, 1.15},
		"s/angle_width_before": {0.9, 1.4}, "s/angle_width": {0.8, 1.2}} {
		if r, ok := found[name]; !ok || r.Value < want[0] || r.Value > want[1] || !(r.Error < 0.1) || r.N != 400 {
			t.Errorf("%s: got %+v, want %g to %g", name, r, want[0], want[1])
		}
	}
	o.Residue = "GLY7"
	if _, err := o.evaluate(samples, meta, reference, refMeta); err == nil || !strings.Contains(err.Error(), "ALA2") {
		t.Errorf("no such residue: got %v", err)
	}
}
