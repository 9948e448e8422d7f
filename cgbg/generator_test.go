package cgbg

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// every thins frames.
func every(n int, load analysis.Source) analysis.Source {
	return func() (*data.Frames, data.Meta, error) {
		f, m, err := load()
		if err != nil {
			return nil, m, err
		}
		return f.Pick(data.EveryNth(f.Len(), n)), m, nil
	}
}

// Without models they are trained from the frames.
func TestGeneratorTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on the Go backend")
	}
	t.Setenv(backend.ConfigEnv, "go")
	o := Options{Name: "obc2/cb", Prefix: "obc2_cb", Preset: "small", Seed: 1, Dir: t.TempDir(),
		FlowFrames:  map[string]analysis.Source{Biased: every(60, obc2.Metad15CoreBeta)},
		ForceFrames: map[string]analysis.Source{Biased: every(60, obc2.Metad9CoreBeta)}}
	g, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	f, meta, err := g.Samples(ctx, Biased, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 300 || len(f.LogW) != 300 || len(meta.Beads) != 6 {
		t.Errorf("%d samples of %q", f.Len(), meta.Beads)
	}
	for kind, want := range map[string]string{Flow: Spline, PMF: Invariant} {
		card, err := g.Card(ctx, kind, Biased, func(int, int, string) { t.Errorf("the %s was trained twice", kind) })
		if err != nil || card.Kind != kind || !strings.Contains(keyed(card.Settings), want) {
			t.Errorf("got %+v, %v, want a %s", card, err, want)
		}
	}
	if _, _, err := g.Samples(ctx, Unbiased, Biased, nil); err == nil || !strings.Contains(err.Error(), Unbiased) {
		t.Errorf("without frames: got %v", err)
	}
	if _, err := g.Shipped("x.npz"); err == nil || !strings.Contains(err.Error(), "no models came along") {
		t.Errorf("without models: got %v", err)
	}
}

// keyed shows settings of a card.
func keyed(settings any) string {
	var text strings.Builder
	if m, ok := settings.(map[string]any); ok {
		for key, v := range m {
			text.WriteString(key + "=")
			if s, ok := v.(string); ok {
				text.WriteString(s)
			}
			text.WriteString(" ")
		}
	}
	return text.String()
}

// What stops a training is said before it begins.
func TestErrors(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	if _, err := Open(Options{Preset: "huge", Dir: t.TempDir()}); err == nil ||
		!strings.Contains(err.Error(), "quick") {
		t.Errorf("preset: got %v", err)
	}
	bare := toy()
	bare.Species = nil
	for name, c := range map[string]struct {
		kind, in string
		o        TrainOptions
		want     string
	}{
		"a preset": {Flow, toyFile(t, toy(), 240, nil), TrainOptions{Preset: "huge"}, "quick"},
		"no forces": {PMF, toyFile(t, toy(), 240, func(f *data.Frames) { f.F = nil }), TrainOptions{Preset: "small"},
			"forces"},
		"no species": {PMF, toyFile(t, bare, 240, nil), TrainOptions{Preset: "small", Potential: MACE}, "species"},
		"few frames": {Flow, toyFile(t, toy(), 100, nil), TrainOptions{Preset: "small"}, "200 frames"},
		"a field":    {Flow, toyFile(t, toy(), 240, nil), TrainOptions{Preset: "small", Field: "magnetic"}, "magnetic"},
		"a potential of one bead's kind": {PMF, toyFile(t, toy(), 240, nil),
			TrainOptions{Preset: "small", Potential: "rbf-mlp"}, "rbf-mlp"},
		"a negative width": {PMF, toyFile(t, toy(), 240, nil), TrainOptions{Preset: "small", Width: -1}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "x.npz")
			_, _, err := Train(ctx, b, c.kind, c.in, out, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if left, _ := filepath.Glob(out + "*"); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
