package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// umbrella makes windows on phi of a free one: 12 around the circle, with Gaussians of the spring's width. The first
// frame of each is the structure, and is skipped.
func umbrella(t *testing.T, frames int, kappa float64) (toml, gro string, phi []float64, centre []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 12))
	var text strings.Builder
	fmt.Fprintf(&text, "variable = \"phi\"\nkappa = %g\n", kappa)
	for k := range 12 {
		c := -math.Pi + math.Pi/6*float64(k)
		n := 0
		p := peptideOf(t, frames+1, 1, func() float64 {
			if n++; n%2 == 0 {
				return 2 * math.Pi * (rng.Float64() - 0.5)
			}
			return c + rng.NormFloat64()*math.Sqrt(kT300/kappa)
		})
		gro = p.gro
		for _, a := range p.angle[1:] {
			phi = append(phi, a[0][0])
		}
		centre = append(centre, c)
		fmt.Fprintf(&text, "[[window]]\ntrajectories = [%q]\ncentre = %g\n", p.xtc, c)
	}
	return written(t, "windows.toml", text.String()), gro, phi, centre
}

// The weights of umbrella windows are MBAR's, and make of them the ensemble that was sampled: phi is uniform.
func TestUmbrella(t *testing.T) {
	const frames, kappa = 60, 30.0
	windows, gro, phi, centre := umbrella(t, frames, kappa)
	out := filepath.Join(t.TempDir(), "out.arrow")
	said, err := call(t, "import", "-structure", gro, "-o", out, "-temperature", "300", "-skip", "1", "-umbrella",
		windows)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "MBAR of 12 windows, 720 frames") {
		t.Errorf("said %q", said)
	}
	f, m, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Extra[data.KeyBias], "weights by -umbrella") || f.Len() != len(phi) {
		t.Errorf("got %d frames, %q", f.Len(), m.Extra)
	}
	u, n := make([][]float64, 12), make([]int, 12)
	for k, c := range centre {
		n[k] = frames
		for _, x := range phi {
			d := math.Remainder(x-c, 2*math.Pi)
			u[k] = append(u[k], kappa/2*d*d/kT300)
		}
	}
	_, want, err := reweight.MBAR(u, n)
	if err != nil {
		t.Fatal(err)
	}
	w, err := reweight.Normalize(f.LogW)
	if err != nil {
		t.Fatal(err)
	}
	var c, s float64
	for i := range phi {
		if math.Abs(f.LogW[i]-want[i]) > 0.02 { // 1e-5 nm in the trajectory, springs of 12 kT/rad²
			t.Fatalf("frame %d: ln w is %.4f, want %.4f", i, f.LogW[i], want[i])
		}
		c, s = c+w[i]*math.Cos(phi[i]), s+w[i]*math.Sin(phi[i])
	}
	// Free energies of neighbours are known to 0.1 kT and add up round the circle: 5 standard errors.
	if math.Hypot(c, s) > 0.5 {
		t.Errorf("phi leans by %.2f, %.2f", c, s)
	}
}

// Windows that leave gaps are told, and files that are not what they should be refused.
func TestUmbrellaRefused(t *testing.T) {
	windows, gro, _, _ := umbrella(t, 8, 30)
	text, err := os.ReadFile(windows)
	if err != nil {
		t.Fatal(err)
	}
	run := func(text string, more ...string) (string, error) {
		args := []string{"import", "-structure", gro, "-o", filepath.Join(t.TempDir(), "out.arrow"), "-temperature",
			"300", "-umbrella", written(t, "w.toml", text)}
		return call(t, append(args, more...)...)
	}
	good := string(text)
	parts := strings.SplitAfter(good, "[[window]]")
	for name, c := range map[string]struct {
		text string
		args []string
		want string
	}{
		"key":        {strings.Replace(good, "kappa", "force", 1), nil, "the key force"},
		"no kappa":   {strings.Replace(good, "kappa = 30", "", 1), nil, "0 kappas"},
		"one window": {parts[0] + parts[1][:strings.Index(parts[1], "[[")], nil, "1 windows"},
		"degrees":    {strings.Replace(good, "centre = -3", "centre = -180 #", 1), nil, "degrees = true"},
		"no such":    {strings.Replace(good, "\"phi\"", "\"d7\"", 1), nil, "its variable d7"},
		"twice":      {good + "[[window]]" + strings.TrimSuffix(parts[1], "[[window]]"), nil, "given twice"},
		"negative":   {strings.Replace(good, "kappa = 30", "kappa = -30", 1), nil, "not below 0"},
		"gaps": {strings.Replace(good, "kappa = 30", "kappa = 30000", 1), []string{"-skip", "1"},
			"do not overlap"},
		"trajectories":  {good, []string{"x.xtc"}, "stand in its file"},
		"other weights": {good, []string{"-logw", "w.txt"}, "-umbrella goes with no other"},
	} {
		if _, err := run(c.text, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	said, err := run(strings.Replace(good, "kappa = 30", "kappa = 120", 1), "-skip", "1")
	if err != nil || !strings.Contains(said, "MBAR") {
		t.Errorf("narrow: got %q, %v", said, err)
	}
}
