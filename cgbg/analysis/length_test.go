package analysis

import (
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Longer parts of a simulation are nearer to all of it, and parts that it does not have are left out.
func TestLengthStudy(t *testing.T) {
	f, m, err := obc2.Metad9Dihedrals()
	if err != nil {
		t.Fatal(err)
	}
	reference, o := asked(t, backbone(t), "all", f, m), Options{Name: "metadynamics", Seed: 1, Every: 20}
	s, err := NewLengthStudy(o, f, m, reference, []float64{1, 5, 20, 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Points) != 3 {
		t.Fatalf("got %+v", s.Points)
	}
	for i, p := range s.Points {
		if n := p.Set.Len(); n != int(p.Time*100) { // every 20th frame, 0.5 ps apart
			t.Errorf("%g ns: %d frames", p.Time, n)
		}
		if i == 0 {
			continue
		}
		before := s.Points[i-1].All
		if !(p.All.Scores.JS.Value < before.Scores.JS.Value && p.All.Floor.JS.Value < before.Floor.JS.Value) {
			t.Errorf("%g ns: JS %+v after %+v", p.Time, p.All, before)
		}
	}
	if p, err := lengthFigure(reference, s); err != nil || fixture.Drawn(p.PNG) != nil || len(p.SVG) == 0 {
		t.Errorf("figure: %v, %v", fixture.Drawn(p.PNG), err)
	}
	if _, err := lengthFigure(reference); err == nil {
		t.Error("a figure of nothing: got no error")
	}
	if _, err := NewLengthStudy(o, f, m, reference, []float64{1000}); err == nil {
		t.Error("no part: got no error")
	}
	m.Stride = 0
	if _, err := NewLengthStudy(o, f, m, reference, []float64{1}); err == nil {
		t.Error("no stride: got no error")
	}
}
