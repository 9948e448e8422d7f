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

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
)

// threeResidues are frames of N, CA, CB and C of three residues in a row, turned in space: corners of tetrahedra on a
// zigzag of 0.15 nm bonds, each with a hand, +1 or −1, and with noise.
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
				for _, x := range y {
					r = append(r, float32(x))
				}
			}
		}
	}
	return r
}

// twelve are the beads of threeResidues.
var twelve = []string{"ALA1:N", "ALA1:CA", "ALA1:CB", "ALA1:C", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C",
	"ALA3:N", "ALA3:CA", "ALA3:CB", "ALA3:C"}

// Of three residues, under whatever names of beads, samples of all other hands lose their weight.
func TestEveryCentreCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, beads := range [][]string{twelve, strings.Split("a b c d e f g h i j k l", " ")} {
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
			r = append(r, data.Widened(threeResidues(rng, 1, [3]float64{sign(2), sign(1), sign(0)}))...)
		}
		logw := make([]float64, 8)
		card.Geometry().Discard(logw, r)
		for code, w := range logw {
			if got, want := !math.IsInf(w, -1), code == 0; got != want {
				t.Errorf("%q: of hands %03b (1: D): got a weight %v, want %v", beads, code, got, want)
			}
		}
		// What the samples' file tells is the same again, and a report finds it.
		meta := topology.Describe(data.Meta{Beads: beads}, card.Geometry())
		f := &data.Frames{Beads: 12, Dim: 3, R: data.Rounded(r), LogW: logw}
		f.LogW[0] = 1
		like, err := topology.FidelityOf(f, meta)
		if err != nil || like.Centres != 3 || like.WrongHand != reweight.Share(7, 8) || like.NoWeight.Value != 0 ||
			like.WrongWeight != 0 || like.Bonds != 11 {
			t.Errorf("%q: got %+v, %v", beads, like, err)
		}
		f.LogW = make([]float64, 8) // as if only some centres had counted
		if like, err = topology.FidelityOf(f, meta); err != nil || math.Abs(like.WrongWeight-7./8) > 1e-12 {
			t.Errorf("%q: weight of wrong hands: got %+v, %v", beads, like, err)
		}
	}
	// Frames of both hands have no centre there.
	both := &Card{Beads: twelve}
	both.study(&data.Frames{Beads: 12, Dim: 3,
		R: append(threeResidues(rng, 100, [3]float64{1, 1, 1}), threeResidues(rng, 100, [3]float64{1, -1, 1})...)})
	if len(both.ChiralCentres) != 2 || both.Handedness != 0 {
		t.Errorf("of both hands: got %+v, hand %g", both.ChiralCentres, both.Handedness)
	}
}

// A card of an earlier version tells the hand of the first residue's CA, and says the same as a new one of the same
// frames; a card of today is read as it was written, without centres, too.
func TestOldCards(t *testing.T) {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	card := &Card{Beads: meta.Beads}
	card.study(frames)
	old := &Card{Beads: meta.Beads, Handedness: card.Handedness}
	mirrored := data.Widened(frames.R[:frames.Width()])
	if !card.Geometry().Right(mirrored) || !old.Geometry().Right(mirrored) {
		t.Error("a frame has the wrong hand")
	}
	for i := range mirrored {
		mirrored[i] *= -1
	}
	if card.Geometry().Right(mirrored) || old.Geometry().Right(mirrored) {
		t.Error("the mirror image of a frame has the right hand")
	}
	if c := (&Card{Beads: []string{"a", "b"}, Handedness: 1}); c.Geometry() != nil {
		t.Error("a hand without a centre")
	}
	for _, centres := range [][]topology.Centre{card.ChiralCentres, {}} {
		path := filepath.Join(t.TempDir(), "flow.npz")
		if err := (&Card{Beads: meta.Beads, Handedness: 1, ChiralCentres: centres}).write(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadCard(path)
		if err != nil || !slices.Equal(got.Geometry().Centres, centres) {
			t.Errorf("got %+v, want %+v, %v", got, centres, err)
		}
	}
}

// A model of an earlier version that is taken up gets what its card lacks.
func TestOldCardGetsCentres(t *testing.T) {
	b := openGo(t)
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
		card, _, err := Train(context.Background(), b, PMF, in, out,
			TrainOptions{Preset: "small", Potential: Invariant, Epochs: 1, Width: 8})
		if err != nil {
			t.Fatal(err)
		}
		return card
	}
	want := train()
	text, err := os.ReadFile(CardPath(out))
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
	if text, err = json.Marshal(fields); err == nil {
		err = keep.WriteFile(CardPath(out), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := train()
	if !slices.Equal(got.ChiralCentres, want.ChiralCentres) || len(got.Bonds) != 5 || !got.Made.Equal(want.Made) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := ReadCard(out); err != nil || len(got.ChiralCentres) != 1 {
		t.Errorf("on disk: got %+v, %v", got, err)
	}
}
