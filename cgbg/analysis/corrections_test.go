package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data/ala2"
)

// Real frames with shifts of the law that flows are trained on, as a perfect flow
// would give them: with the vector's density all weights are equal, with that of its
// length three fifths of the samples are left.
func TestCorrections(t *testing.T) {
	f, m, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	f.LogW, f.F = nil, nil
	reference := asked(t, backbone(t), "md", f, m)
	const std, beads = 0.15, 6
	rng := rand.New(rand.NewPCG(6, 2))
	samples := *f.Slice(0, 4000)
	samples.R = append([]float32(nil), samples.R...)
	n, width := samples.Len(), samples.Width()
	samples.U, samples.LogQ, samples.LogW = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		frame := samples.R[i*width : (i+1)*width]
		var com, shift [3]float64
		for k, v := range frame {
			com[k%3] += float64(v) / beads
		}
		for axis := range shift {
			shift[axis] = rng.NormFloat64() / math.Sqrt(beads)
		}
		for k := range frame {
			frame[k] += float32(std*shift[k%3] - com[k%3])
		}
		samples.U[i] = 3 * rng.NormFloat64()
		samples.LogQ[i] = -samples.U[i]/units.KT(m.Temperature) + reweight.LogCOM(shift[:], beads)[0]
	}
	samples.LogW[7] = math.Inf(-1)
	rows, gain, err := Corrections(1, &samples, m, std, reference)
	if err != nil {
		t.Fatal(err)
	}
	ess := map[string]float64{}
	for _, r := range rows {
		ess[r.Name] = r.ESS.Value
	}
	if want := float64(n-1) / float64(n); math.Abs(ess["vector/as they are/blocks"]-want) > 1e-4 {
		t.Errorf("ESS with the vector's density: got %g, want %g", ess["vector/as they are/blocks"], want)
	}
	if math.Abs(gain.Value-1/0.6) > 4*gain.Error || !(gain.Error > 0 && gain.Error < 0.1) {
		t.Errorf("gain: got %g ± %g, want 1.667", gain.Value, gain.Error)
	}
	if len(rows) != 6 || !(ess["radial/clipped/blocks"] > ess["radial/as they are/blocks"]) {
		t.Errorf("got %v", rows)
	}
	if a, b := rows[0], rows[1]; a.Errors != "published" || a.ESS != b.ESS ||
		!(a.Scores.JS.Value > b.Scores.JS.Value) ||
		a.Scores.JS.Error == b.Scores.JS.Error {
		t.Errorf("the published errors: got %+v, beside %+v", a, b)
	}
	samples.U = nil
	if _, _, err := Corrections(1, &samples, m, std, reference); err == nil ||
		!strings.Contains(err.Error(), "column") {
		t.Errorf("without energies: got %v", err)
	}
}
