package figure

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// F is asked in internal units all over the region; the axes show the scaled ones.
func TestMapUnits(t *testing.T) {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	o := stretchedAxes()
	p, err := FreeEnergyMaps([]Map{{Title: "t", F: func(x, y float64) float64 {
		for k, v := range []float64{x, y} {
			lo[k], hi[k] = math.Min(lo[k], v), math.Max(hi[k], v)
		}
		return (x - 0.5) * (x - 0.5)
	}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range [][2]float64{{0.45, 0.8}, {-math.Pi, math.Pi}} {
		if math.Abs(lo[k]-want[0]) > 1e-12 || math.Abs(hi[k]-want[1]) > 1e-12 {
			t.Errorf("variable %d was asked from %g to %g, want %g to %g", k, lo[k], hi[k], want[0], want[1])
		}
	}
	w := words(t, p)
	for _, text := range []string{"distance, Å", "ψ, degrees", "F, kJ/mol", "5", "7", "−180", "−90", "180", "20"} {
		if count(w, text) != 1 {
			t.Errorf("%q stands %d times in %q", text, count(w, text), w)
		}
	}
}

// Axes: whole circles in degrees unless told; the labels of a part of one; other scales.
func TestMapAxis(t *testing.T) {
	for name, c := range map[string]struct {
		lo, hi, scale float64
		circle        bool
		wantLo        float64
		wantHi        float64
		labels        string
	}{
		"circle":          {0, 0, 0, true, -180, 180, "−180 −90 0 90 180"},
		"half a circle":   {0, math.Pi, 0, true, 0, 180, "0 90 180"},
		"a turn from 0":   {0, 2 * math.Pi, 0, true, 0, 360, "0 90 180 270 360"},
		"circle in turns": {0, 0, 1 / (2 * math.Pi), true, -0.5, 0.5, "−0.4 −0.2 0.0 0.2 0.4"},
		"nm":              {0.2, 0.6, 0, false, 0.2, 0.6, "0.2 0.3 0.4 0.5 0.6"},
		"Å of nm":         {0.2, 0.6, 10, false, 2, 6, "2 3 4 5 6"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := newMapAxis("", c.lo, c.hi, c.scale, c.circle)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(a.lo-c.wantLo) > 1e-12 || math.Abs(a.hi-c.wantHi) > 1e-12 {
				t.Errorf("got %g to %g, want %g to %g", a.lo, a.hi, c.wantLo, c.wantHi)
			}
			var labels []string
			for _, tick := range a.ticks(6).Ticks(a.lo, a.hi) {
				if tick.Label != "" {
					labels = append(labels, tick.Label)
				}
			}
			if got := strings.Join(labels, " "); got != c.labels {
				t.Errorf("got the labels %s, want %s", got, c.labels)
			}
		})
	}
}

// Maps over φ and ψ are maps over two circles, whose bounds and scale may be told or not.
func TestRamachandranMaps(t *testing.T) {
	maps := []ramachandran{basins("one"), basins("two")}
	a, err := ramachandranMaps(maps, 5.25, "kcal/mol")
	if err != nil {
		t.Fatal(err)
	}
	b, err := FreeEnergyMaps(maps, MapOptions{XLabel: "φ, degrees", YLabel: "ψ, degrees",
		XMin: -math.Pi, XMax: math.Pi, YMin: -math.Pi, YMax: math.Pi, XScale: 180 / math.Pi, YScale: 180 / math.Pi,
		XCircle: true, YCircle: true, Top: 5.25, Unit: "kcal/mol"})
	if err != nil || !bytes.Equal(a.PNG, b.PNG) || !bytes.Equal(a.SVG, b.SVG) {
		t.Errorf("they differ (%v)", err)
	}
	if n := count(words(t, a), "ψ, degrees"); n != 1 {
		t.Errorf("the row has %d axes of ψ, want 1", n)
	}
}

func TestBadMaps(t *testing.T) {
	flat := func(v float64) []Map {
		return []Map{{Title: "m", F: func(x, y float64) float64 { return v }}}
	}
	with := func(change func(o *MapOptions)) MapOptions {
		o := stretchedAxes()
		change(&o)
		return o
	}
	good := stretchedAxes()
	for name, c := range map[string]struct {
		maps []Map
		o    MapOptions
		want string
	}{
		"none":         {nil, good, "0 maps"},
		"five":         {make([]Map, 5), good, "5 maps"},
		"no F":         {make([]Map, 1), good, "no F"},
		"no top":       {flat(0), with(func(o *MapOptions) { o.Top = 0 }), "top above zero"},
		"no range":     {flat(0), with(func(o *MapOptions) { o.XMin, o.XMax = 0, 0 }), "want a range"},
		"scale":        {flat(0), with(func(o *MapOptions) { o.XScale = -1 }), "want a scale above zero"},
		"degrees":      {flat(0), with(func(o *MapOptions) { o.YMin, o.YMax = -180, 180 }), "in rad"},
		"NaN":          {flat(math.NaN()), good, `the map "m"`},
		"bottomless":   {flat(math.Inf(-1)), good, `the map "m"`},
		"not sampled":  {flat(math.Inf(1)), good, "nowhere below 20"},
		"zero too low": {flat(500), good, "nowhere below 20"},
	} {
		_, err := FreeEnergyMaps(c.maps, c.o)
		if err == nil || !strings.HasPrefix(err.Error(), "figure: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}
