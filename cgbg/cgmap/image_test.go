package cgmap

import (
	"math"
	"testing"
)

// The way to the nearest image is as long as their distance, and leads the other way back.
func TestBetween(t *testing.T) {
	box := [9]float64{2, 0, 0, 0, 3, 0, 1, 0, 2}
	r := []float32{0.1, 0.2, 0.3, 1.9, 2.9, 1.8, 0.1, 0.2, 0.3}
	b := NewImages(&box)
	there, back := b.Between(r, 0, 1), b.Between(r, 1, 0)
	square := 0.0
	for k := range there {
		square += there[k] * there[k]
		if math.Abs(there[k]+back[k]) > 1e-12 {
			t.Errorf("axis %d: %g there, %g back", k, there[k], back[k])
		}
	}
	if got, want := math.Sqrt(square), b.Distance(r, 0, 1); math.Abs(got-want) > 1e-12 || want > 1 {
		t.Errorf("got %g, want %g", got, want)
	}
	if got := NewImages(nil).Between(r, 0, 1)[1]; math.Abs(got-2.7) > 1e-6 {
		t.Errorf("no box: got %g", got)
	}
	if got := b.Between(r, 0, 2); got != [3]float64{} {
		t.Errorf("the same place: got %v", got)
	}
}
