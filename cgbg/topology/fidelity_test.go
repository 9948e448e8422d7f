package topology

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Of three residues samples of all hands but the frames' lose their weight, and what their description tells of the
// frames says how many there were.
func TestEveryCentreCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	g := Of(&data.Frames{Beads: 12, Dim: 3, R: frames(200, []float64{1, 1, 1})})
	if len(g.Centres) != 3 {
		t.Fatalf("got %d centres, want 3: %+v", len(g.Centres), g.Centres)
	}
	var r []float64
	for code := range 8 {
		sign := func(bit int) float64 { return 1 - 2*float64(code>>bit&1) }
		r = append(r, peptide(rng, []float64{sign(2), sign(1), sign(0)}, 0.05)...)
	}
	logw := make([]float64, 8)
	g.Discard(logw, r)
	for code, w := range logw {
		if got, want := !math.IsInf(w, -1), code == 0; got != want {
			t.Errorf("of hands %03b (1: D): got a weight %v, want %v", code, got, want)
		}
	}
	meta := Describe(data.Meta{Beads: strings.Split("a b c d e f g h i j k l", " ")}, g)
	f := &data.Frames{Beads: 12, Dim: 3, R: data.Rounded(r), LogW: logw}
	f.LogW[0] = 1
	like, err := FidelityOf(f, meta)
	if err != nil || like.Centres != 3 || like.N != 8 || like.WrongHand != reweight.Share(7, 8) ||
		like.NoWeight.Value != 0 ||
		like.WrongWeight != 0 || like.Bonds != 11 || like.Angles != 13 {
		t.Errorf("got %+v, %v", like, err)
	}
	f.LogW = make([]float64, 8) // as if only some centres had counted
	if like, err = FidelityOf(f, meta); err != nil || math.Abs(like.WrongWeight-7./8) > 1e-12 {
		t.Errorf("weight of wrong hands: got %+v, %v", like, err)
	}
	f.LogW = nil
	if like, err = FidelityOf(f, meta); err != nil || like.WrongHand != reweight.Share(7, 8) || like.WrongWeight != 0 {
		t.Errorf("without weights: got %+v, %v", like, err)
	}
	var none *Geometry
	none.Discard(logw, r) // nothing is known
	if like, err = FidelityOf(f, Describe(meta, nil)); err != nil || like != (reweight.Fidelity{}) {
		t.Errorf("of nothing that is known: got %+v, %v", like, err)
	}
}

// Samples that are lost for another reason than their hand are counted apart, and widths are those of Widths, with
// weights and without.
func TestFidelity(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	g := Find(frames(500, []float64{1, 1}), 8, nil)
	var r, logw []float64
	for i := range 400 { // every fourth without a weight, every eighth, one of these, with a wrong hand
		hand, w := 1., 0.1*rng.NormFloat64()
		if i%4 == 0 {
			w = math.Inf(-1)
		}
		if i%8 == 0 {
			hand = -1
		}
		r, logw = append(r, peptide(rng, []float64{1, hand}, 0.05)...), append(logw, w)
	}
	like := g.Fidelity(r, 8, logw)
	if like.WrongHand != reweight.Share(50, 400) || like.NoWeight != reweight.Share(50, 400) || like.WrongWeight != 0 {
		t.Errorf("got %+v", like)
	}
	for _, c := range []struct {
		logw          []float64
		bonds, angles reweight.Estimate
	}{{nil, like.BondWidthBefore, like.AngleWidthBefore}, {logw, like.BondWidth, like.AngleWidth}} {
		if bonds, angles, err := g.widths(r, 8, c.logw); err != nil || bonds != c.bonds || angles != c.angles ||
			!(bonds.Value > 0) {
			t.Errorf("widths: got %+v and %+v, want %+v and %+v, %v", c.bonds, c.angles, bonds, angles, err)
		}
	}
	for i := range logw[1:] { // one sample alone has no width
		logw[i+1] = math.Inf(-1)
	}
	logw[0] = 0
	if like = g.Fidelity(r, 8, logw); like.BondWidth.Value != 0 || !(like.BondWidthBefore.Value > 0) ||
		like.WrongWeight != 1 {
		t.Errorf("one weight: got %+v", like)
	}
}

// A description holds the geometry, leaves that of the caller as it is, and what is no geometry of the beads is an
// error.
func TestDescribe(t *testing.T) {
	beads := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	g := Find(frames(200, []float64{1, -1}), 8, nil)
	before := data.Meta{Beads: beads, Source: "samples.arrow", Extra: map[string]string{"other": "x"}}
	m := Describe(before, g)
	if got, err := Described(m); err != nil || !reflect.DeepEqual(got, g) || m.Extra["other"] != "x" ||
		len(before.Extra) != 1 {
		t.Errorf("got %+v, want %+v, %v; the first was left as %v", got, g, err, before.Extra)
	}
	if got, err := Described(Describe(m, nil)); got != nil || err != nil {
		t.Errorf("of nothing: got %+v, %v", got, err)
	}
	for _, bad := range []string{"{", `{"chiral_centres":[{"beads":[0,1,2,8],"sign":1}]}`,
		`{"chiral_centres":[{"beads":[0,1,2,3],"sign":0}]}`, `{"bonds":[{"beads":[1,1],"sd":1}]}`,
		`{"angles":[{"beads":[0,1,2]}]}`} {
		m.Extra = map[string]string{geometryKey: bad}
		if g, err := Described(m); err == nil || !strings.Contains(err.Error(), "samples.arrow") {
			t.Errorf("%s: got %+v, %v", bad, g, err)
		}
	}
}
