package cgbg

import (
	"testing"
	"time"
)

// A stopwatch leaves out what went before the first report, and a report that repeats another.
func TestStopwatch(t *testing.T) {
	var w stopwatch
	told := 0
	tick := w.watch(func(done, total int, _ string) { told += done })
	tick(10, 30, "")
	if w.perStep() != 0 {
		t.Errorf("got %g s a step after the first report", w.perStep())
	}
	time.Sleep(20 * time.Millisecond)
	tick(30, 30, "")
	took := time.Since(w.start).Seconds()
	time.Sleep(20 * time.Millisecond)
	tick(30, 30, "")
	if got := w.perStep(); w.last != 30 || got < 0.001 || got > took/20 || told != 70 {
		t.Errorf("got %d steps of %g s, want 30 of 0.001 to %g s; told %d", w.last, got, took/20, told)
	}
}

// Options that change nothing are no other generator, whoever computes the likelihood.
func TestWith(t *testing.T) {
	s, err := NewSettings("quick", 1)
	if err == nil {
		s, err = s.WithField(Equivariant)
	}
	if err != nil {
		t.Fatal(err)
	}
	g := &Generator{Options: Options{Train: true}, Settings: s}
	same := FlowKind{Equivariant, s.FlowFit.Pairing}.Options()
	if got := g.With(same); got != g {
		t.Errorf("the same flow: got another generator, variant %s", got.variant)
	}
	kind := FlowKind{GraphTransformer, s.FlowFit.Pairing}.Options()
	for _, o := range []TrainOptions{kind, {Epochs: 3}, {Pairing: "independent"}} {
		if got := g.With(o); got == g || got.variant == "" {
			t.Errorf("%+v: got the same generator", o)
		}
	}
	shipped := &Generator{Settings: s}
	if got := shipped.With(same); got == shipped {
		t.Error("a flow that came along counts as one that is trained here")
	}
}
