package cgbg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/models"
)

// Samples of a flow are weighed by a potential of the same beads, species, map and temperature, and by no other,
// when they are drawn and later; the error says what differs.
func TestPair(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	flow := toyModel(t, b, "flow", toy())
	samples := filepath.Join(t.TempDir(), "samples.arrow")
	if _, err := Draw(ctx, b, flow, samples, DrawOptions{N: 20, Seed: 1, Checks: -1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(m *data.Meta)
		want string // in the error; "": none
	}{
		{"same", func(m *data.Meta) {}, ""},
		{"a map of another name that says the same", func(m *data.Meta) {
			m.Mapping = "renamed.map"
			m.Extra = map[string]string{keyMap: "# beads\nA, C, @1\n\n B O   @2\nC N com @3 @4 # centre of mass"}
		}, ""},
		{"another system by name", func(m *data.Meta) { m.System, m.ForceField = "water", "none" }, ""},
		{"another temperature", func(m *data.Meta) { m.Temperature = 450 }, "temperatures 300 K and 450 K"},
		{"other beads", func(m *data.Meta) { m.Beads = []string{"A", "B", "D"} },
			"beads, of which number 3 is C and D"},
		{"more beads", func(m *data.Meta) {
			m.Beads, m.Species = []string{"A", "B", "C", "D"}, []int32{1, 2, 3, 1}
		}, "numbers of beads, 3 and 4"},
		{"other species", func(m *data.Meta) { m.Species = []int32{1, 1, 3} }, "species, which of bead B are 2 and 1"},
		{"another map", func(m *data.Meta) {
			m.Extra = map[string]string{keyMap: "A C @1\nB O @2\nC N @3 @4\n"}
		}, `maps "my.map"`},
		{"a named map", func(m *data.Meta) { m.Mapping, m.Extra = "core-beta", nil }, `"core-beta"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			meta := toy()
			c.edit(&meta)
			pmf, out := toyModel(t, b, "pmf", meta), filepath.Join(t.TempDir(), "out.arrow")
			_, drawn := Draw(ctx, b, flow, out, DrawOptions{N: 20, Seed: 1, Checks: -1, PMF: []string{pmf}})
			_, weighed := Reweigh(ctx, b, samples, flow, []string{pmf}, out)
			for _, err := range []error{drawn, weighed} {
				if (err == nil) != (c.want == "") ||
					err != nil && (!errors.Is(err, ErrPair) || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			}
			if _, err := os.Stat(out); (err == nil) != (c.want == "") {
				t.Errorf("the file of samples: %v", err)
			}
		})
	}
}

// What is not a potential with its card is refused with the cure.
func TestPairCards(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	flow, pmf := toyModel(t, b, "flow", toy()), toyModel(t, b, "pmf", toy())
	draw := func(flow, pmf string) error {
		out := filepath.Join(t.TempDir(), "out.arrow")
		_, err := Draw(ctx, b, flow, out, DrawOptions{N: 20, Seed: 1, Checks: -1, PMF: []string{pmf}})
		return err
	}
	if err := draw(flow, flow); err == nil || !strings.Contains(err.Error(), "no potential of mean force but a flow") {
		t.Errorf("a flow as potential: got %v", err)
	}
	if err := draw(pmf, pmf); err == nil || !strings.Contains(err.Error(), "no flow but a potential of mean force") {
		t.Errorf("a potential as flow: got %v", err)
	}
	// Cards made before they knew of maps and units are held to names.
	card, err := ReadCard(pmf)
	if err != nil {
		t.Fatal(err)
	}
	old := *card
	old.MapSHA, old.Units = "", data.Units{}
	if err := old.write(pmf); err != nil {
		t.Fatal(err)
	}
	if err := draw(flow, pmf); err != nil {
		t.Errorf("an old card: got %v", err)
	}
	old.Mapping = "your.map"
	if err := old.write(pmf); err != nil {
		t.Fatal(err)
	}
	if err := draw(flow, pmf); !errors.Is(err, ErrPair) {
		t.Errorf("an old card of a map of another name: got %v", err)
	}
	if err := os.Remove(CardPath(pmf)); err != nil {
		t.Fatal(err)
	}
	if err := draw(flow, pmf); !errors.Is(err, os.ErrNotExist) ||
		!strings.Contains(err.Error(), "put its card beside it") {
		t.Errorf("without a card: got %v", err)
	}
}

// Without a temperature a flow can be trained and sampled, but not weighed; a potential cannot be trained.
func TestNoTemperature(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	cold := toy()
	cold.Temperature = 0
	flow, pmf := toyModel(t, b, "flow", cold), toyModel(t, b, "pmf", toy())
	out := filepath.Join(t.TempDir(), "out.arrow")
	if _, err := Draw(ctx, b, flow, out, DrawOptions{N: 20, Seed: 1, Checks: -1}); err != nil {
		t.Fatal(err)
	}
	_, drawn := Draw(ctx, b, flow, out, DrawOptions{N: 20, Seed: 1, Checks: -1, PMF: []string{pmf}})
	_, weighed := Reweigh(ctx, b, out, flow, []string{pmf}, out)
	potential := filepath.Join(t.TempDir(), "x.npz")
	_, _, trained := Train(ctx, b, PMF, toyFile(t, cold, 240, nil), potential, TrainOptions{Preset: "small"})
	for _, err := range []error{drawn, weighed, trained} {
		if !errors.Is(err, ErrTemperature) || !strings.Contains(err.Error(), "-temperature") {
			t.Errorf("got %v", err)
		}
	}
}

// The models that come along belong together, and their samples to them.
func TestShippedModelsBelong(t *testing.T) {
	folder, err := keep.OpenFolder(t.TempDir(), "models")
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"obc2_cb", "obc2_ha", "explicit_cb", "explicit_ha"} {
		g := &Generator{Folder: folder, Options: Options{Name: prefix, Prefix: prefix, Models: models.FS()}}
		var flow data.Meta
		for _, name := range []string{"flow_biased", "flow_unbiased", "pmf_biased", "pmf_unbiased"} {
			file, err := g.ShippedModel(prefix + "_" + name + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			card, err := ReadCard(file)
			if err != nil {
				t.Fatal(err)
			}
			if flow.Beads == nil {
				flow = card.Meta()
			}
			if err := Belong(prefix, flow, name, card.Meta()); err != nil {
				t.Error(err)
			}
		}
		samples, err := g.Shipped(prefix + "_samples_biased.arrow")
		if err != nil {
			t.Fatal(err)
		}
		meta, _, _, err := describe(samples, "logq")
		if err == nil {
			err = Belong(prefix, flow, samples, meta)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// A model or a card that is missing, damaged or of nothing is told apart.
func TestReadCardErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name        string
		model, card bool
		text, want  string
	}{
		{"missing", false, false, "", "the model: "},
		{"alone", true, false, "", "has no card"},
		{"cut", true, true, `{"kind": "pmf"`, "is no card of a model, or is damaged"},
		{"empty", true, true, "{}", `no flow but of kind ""`},
	} {
		model := filepath.Join(dir, c.name+".npz")
		if c.model {
			if err := os.WriteFile(model, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if c.card {
			if err := os.WriteFile(CardPath(model), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		card, err := ReadCard(model)
		if err == nil {
			err = card.CheckKind(model, "flow")
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// The folder of samples is made before they are drawn, and what cannot be written is refused.
func TestDrawFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "folder", "samples.arrow")
	if err := makeOut(path); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v, want an empty folder", entries, err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(path, "x.arrow"), dir} {
		if err := makeOut(bad); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}
