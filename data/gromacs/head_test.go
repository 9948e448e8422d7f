package gromacs

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// heads are what NextHead tells of all frames.
func heads(t *testing.T, next func(*Head) error) (out []Head) {
	t.Helper()
	for {
		var h Head
		switch err := next(&h); err {
		case nil:
			out = append(out, h)
		case io.EOF:
			return out
		default:
			t.Fatal(err)
		}
	}
}

// Frames that are passed over, by seeking or by reading, are those that are read.
func TestNextHead(t *testing.T) {
	for _, atoms := range []int{3, 9, 22, 40000} { // plain, compressed, larger than the buffer
		var file bytes.Buffer
		w := NewXTCWriter(&file, 1000)
		rng := rand.New(rand.NewPCG(1, 2))
		var want []Head
		for n := range 4 {
			f := Frame{Step: int64(10 * n), Time: 0.5 * float64(n)}
			for range 3 * atoms {
				f.R = append(f.R, 3*rng.Float32())
			}
			if err := w.Append(&f); err != nil {
				t.Fatal(err)
			}
			want = append(want, Head{Step: f.Step, Time: f.Time, Positions: true})
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for name, in := range map[string]io.Reader{"seeking": bytes.NewReader(file.Bytes()),
			"reading": io.MultiReader(bytes.NewReader(file.Bytes()))} {
			got := heads(t, NewXTC(in, "test.xtc").NextHead)
			if len(got) != len(want) {
				t.Fatalf("%d atoms, %s: got %d heads, want %d", atoms, name, len(got), len(want))
			}
			for n, h := range got {
				if h != want[n] {
					t.Errorf("%d atoms, %s, frame %d: got %+v, want %+v", atoms, name, n, h, want[n])
				}
			}
		}
	}
	in, err := OpenTRR("testdata/ala2.trr")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	again, err := OpenTRR("testdata/ala2.trr")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for n, h := range heads(t, in.NextHead) {
		var f Frame
		if err := again.Next(&f); err != nil {
			t.Fatal(err)
		}
		if want := (Head{Step: f.Step, Time: f.Time, Positions: f.R != nil, Forces: f.F != nil}); h != want {
			t.Errorf("frame %d: got %+v, want %+v", n, h, want)
		}
	}
	if err := again.Next(&Frame{}); err != io.EOF {
		t.Errorf("more frames than heads: %v", err)
	}
}
