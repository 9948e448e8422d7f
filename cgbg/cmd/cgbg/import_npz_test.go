package main

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// npy is an array of doubles to write.
type npy struct {
	shape  []int
	values []float64
}

func writeNPZ(t *testing.T, arrays map[string]npy) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.npz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z := zip.NewWriter(file)
	for key, a := range arrays {
		w, err := z.Create(key + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(a.shape), " ", ", "), "[]")
		head := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }\n", shape)
		p := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
		p = append(p, head...)
		for _, v := range a.values {
			p = binary.LittleEndian.AppendUint64(p, math.Float64bits(v))
		}
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// npzFrames are n copies of the structure, all atoms or the beads of a named map.
func npzFrames(t *testing.T, n int, mapping string) (r npy, species []float64) {
	t.Helper()
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cgmap.New(mapping, s)
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.Apply(nil, s.R)
	if err != nil {
		t.Fatal(err)
	}
	r.shape = []int{n, len(m.Beads), 3}
	for range n {
		for _, v := range x {
			r.values = append(r.values, float64(v))
		}
	}
	for _, s := range m.Species {
		species = append(species, float64(s))
	}
	return r, species
}

// Positions are in nm, species those of the map, and arrays of one frame stand for all.
func TestImportNPZ(t *testing.T) {
	const n = 3
	scaled := func(a npy, by float64) npy {
		b := npy{a.shape, slices.Clone(a.values)}
		for i := range b.values {
			b.values[i] *= by
		}
		return b
	}
	repeat := func(v []float64, n int) []float64 { return slices.Concat(slices.Repeat([][]float64{v}, n)...) }
	edges, matrix := []float64{2.3, 2.3, 2.3}, []float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}
	for _, mapping := range []string{cgmap.AllAtom, cgmap.HeavyAtom} {
		r, species := npzFrames(t, n, mapping)
		beads := r.shape[1]
		reversed := slices.Clone(species)
		slices.Reverse(reversed)
		var elements []float64
		for _, s := range species {
			elements = append(elements, []float64{0, 6, 8, 7, 1}[int(s)])
		}
		swapped := scaled(r, 1) // C of the cap and N behind it, in each frame
		places := map[string][2]int{cgmap.AllAtom: {12, 18}, cgmap.HeavyAtom: {3, 9}}[mapping]
		for i := 0; i < len(swapped.values); i += 3 * beads {
			for k := range 3 {
				a, b := &swapped.values[i+places[0]+k], &swapped.values[i+places[1]+k]
				*a, *b = *b, *a
			}
		}
		torn := scaled(r, 1)
		for i := 0; i < len(torn.values); i += 9 {
			torn.values[i] += 2.3
		}
		for _, c := range []struct {
			name   string
			arrays map[string]npy
			want   string // in the error
		}{
			{"plain", map[string]npy{"R": r}, ""},
			{"Å", map[string]npy{"R": scaled(r, 10)}, "10 times as far as in the structure"},
			{"Å, with a box in Å", map[string]npy{"R": scaled(r, 10), "box": {[]int{3}, []float64{23, 23, 23}}},
				"seem to be in Å"},
			{"a tenth", map[string]npy{"R": scaled(r, 0.1)}, "the structure's seem to be in Å"},
			{"m", map[string]npy{"R": scaled(r, 1e-9)}, "another unit"},
			{"half as large again", map[string]npy{"R": scaled(r, 1.5)}, ""},
			{"in another order", map[string]npy{"R": swapped}, "order"},
			{"torn, with a box", map[string]npy{"R": torn, "box": {[]int{3, 3}, matrix}}, ""},
			{"box of every frame", map[string]npy{"R": torn, "box": {[]int{n, 3, 3}, repeat(matrix, n)}}, ""},
			{"edges of every frame", map[string]npy{"R": torn, "box": {[]int{n, 3}, repeat(edges, n)}}, ""},
			{"edges for all", map[string]npy{"R": torn, "box": {[]int{3}, edges}}, ""},
			{"a row of edges", map[string]npy{"R": torn, "box": {[]int{1, 3}, edges}}, ""},
			{"box of six numbers", map[string]npy{"R": r, "box": {[]int{6}, repeat(edges, 2)}},
				"box has the shape [6]"},
			{"species", map[string]npy{"R": r, "species": {[]int{n, beads}, repeat(species, n)}}, ""},
			{"species for all", map[string]npy{"R": r, "species": {[]int{beads}, species}}, ""},
			{"atomic numbers", map[string]npy{"R": r, "species": {[]int{beads}, elements}}, ""},
			{"other species", map[string]npy{"R": r, "species": {[]int{beads}, reversed}}, "its species are"},
			{"species of fewer", map[string]npy{"R": r, "species": {[]int{beads - 1}, species[1:]}},
				"species has the shape"},
			{"mask for all", map[string]npy{"R": r, "mask": {[]int{beads}, repeat([]float64{1}, beads)}}, ""},
		} {
			t.Run(mapping+", "+c.name, func(t *testing.T) {
				path, out := writeNPZ(t, c.arrays), filepath.Join(t.TempDir(), "out.arrow")
				text, err := call(t, "import", "-structure", gro, "-map", mapping, "-o", out, path)
				switch {
				case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
					t.Fatalf("got %v, want %q", err, c.want)
				case c.want != "":
					return
				case err != nil || !strings.Contains(text, "the time between frames is not known"):
					t.Fatalf("got %q, %v", text, err)
				}
				f, _, err := data.ReadFile(out)
				if err != nil || f.Len() != n {
					t.Fatalf("%v", err)
				}
			})
		}
	}
}

// What export writes, import reads: weights and the like, too.
func TestExportImport(t *testing.T) {
	dir := t.TempDir()
	first, file, second := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "a.npz"), filepath.Join(dir, "b.arrow")
	if _, err := call(t, "import", "-structure", gro, "-awh", xvg, "-o", first, trr); err != nil {
		t.Fatal(err)
	}
	f, meta, err := data.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Len() {
		f.Bias, f.LogQ, f.U = append(f.Bias, float64(i)), append(f.LogQ, -float64(i)), append(f.U, 0.5*float64(i))
	}
	if err := data.WriteFile(first, meta, f); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "export", "-o", file, first); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "import", "-structure", gro, "-dt", "0.1", "-o", second, file); err != nil {
		t.Fatal(err)
	}
	got, meta, err := data.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	if want := "weights of its own, array logw of a.npz, of SHA-256 " + meta.SourceSHA; meta.Extra["bias"] != want {
		t.Errorf("bias: got %q, want %q", meta.Extra["bias"], want)
	}
	for name, c := range map[string][2][]float64{"logw": {got.LogW, f.LogW}, "bias": {got.Bias, f.Bias},
		"logq": {got.LogQ, f.LogQ}, "u": {got.U, f.U}} {
		if !slices.Equal(c[0], c[1]) {
			t.Errorf("%s: got %v, want %v", name, c[0], c[1])
		}
	}
	if !slices.Equal(got.R, f.R) || !slices.Equal(got.F, f.F) {
		t.Error("other positions or forces")
	}
	if _, err := call(t, "import", "-structure", gro, "-awh", xvg, "-o", second, file); err == nil ||
		!strings.Contains(err.Error(), "log-weights of their own") {
		t.Errorf("weights twice: got %v", err)
	}
}

// The names in a file are those of the map, in its order; what is not read is said.
func TestImportNPZNames(t *testing.T) {
	dir := t.TempDir()
	first, out := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow")
	if _, err := call(t, "import", "-structure", gro, "-o", first, trr); err != nil {
		t.Fatal(err)
	}
	f, meta, err := data.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		from []string
		to   []string
		want string // in the error
	}{
		{"the same", nil, nil, ""},
		{"another number", []string{"ACE1", "ALA2", "NME3"}, []string{"ACE11", "ALA12", "NME13"}, ""},
		{"with chains", []string{"ACE1", "ALA2", "NME3"}, []string{"A/ACE1", "A/ALA2", "A/NME3"}, ""},
		{"swapped", []string{"CA", "CB"}, []string{"CB", "CA"},
			"its bead 3 is ALA2:CB (array beads), that of the map ALA2:CA"},
		{"others", []string{":CB"}, []string{":CG"}, "its bead 4 is ALA2:CG"},
	} {
		var pairs []string
		for i := range c.from {
			pairs = append(pairs, c.from[i], c.to[i])
		}
		m, file := meta, filepath.Join(dir, c.name+".npz")
		m.Beads = nil
		for _, name := range meta.Beads {
			m.Beads = append(m.Beads, strings.NewReplacer(pairs...).Replace(name))
		}
		if err := data.WriteFile(first, m, f); err != nil {
			t.Fatal(err)
		}
		if _, err := call(t, "export", "-o", file, first); err != nil {
			t.Fatal(err)
		}
		text, err := call(t, "import", "-structure", gro, "-dt", "0.1", "-o", out, file)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) ||
			strings.Contains(text, "not read") {
			t.Errorf("%s: got %q, %v, want %q", c.name, text, err, c.want)
		}
	}
	r, _ := npzFrames(t, 2, cgmap.CoreBeta)
	text, err := call(t, "import", "-structure", gro, "-o", out,
		writeNPZ(t, map[string]npy{"R": r, "weights": {[]int{2}, []float64{1, 2}}}))
	if err != nil || !strings.Contains(text, "not read: weights") {
		t.Errorf("got %q, %v", text, err)
	}
}

// Structures of beads have no bonds; the unit shows all the same.
func TestImportBeadStructure(t *testing.T) {
	dir := t.TempDir()
	structure := filepath.Join(dir, "beads.gro")
	text, r := "beads\n5\n", npy{shape: []int{3, 5, 3}}
	for i := range 5 {
		text += fmt.Sprintf("%5d%-5s%5s%5d%8.3f%8.3f%8.3f\n", i+1, "ALA", "CA", i+1, 0.38*float64(i), 0.1*float64(i%2),
			0.)
	}
	for n := range 3 {
		for i := range 5 {
			r.values = append(r.values, 0.38*float64(i), 0.1*float64((i+n)%2), 0.05)
		}
	}
	if err := os.WriteFile(structure, []byte(text+"0 0 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scale float64
		want  string
	}{{1, ""}, {10, "seem to be in Å"}} {
		scaled := npy{shape: r.shape}
		for _, v := range r.values {
			scaled.values = append(scaled.values, c.scale*v)
		}
		_, err := call(t, "import", "-structure", structure, "-map", "all-atom", "-dt", "1", "-o",
			filepath.Join(dir, "o.arrow"), writeNPZ(t, map[string]npy{"R": scaled}))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("times %g: got %v, want %q", c.scale, err, c.want)
		}
	}
}

// Files of which one has weights or energies and another has none are refused, in either order.
func TestImportNPZOfOtherColumns(t *testing.T) {
	r, _ := npzFrames(t, 3, cgmap.HeavyAtom)
	plain := writeNPZ(t, map[string]npy{"R": r})
	for _, key := range []string{"U", "logw", "bias", "logq"} {
		full := writeNPZ(t, map[string]npy{"R": r, key: {[]int{3}, []float64{1, 2, 3}}})
		for _, paths := range [][]string{{plain, full}, {full, plain}} {
			_, err := call(t, append([]string{"import", "-structure", gro, "-map", cgmap.HeavyAtom, "-o",
				filepath.Join(t.TempDir(), "out.arrow")}, paths...)...)
			if err == nil || !strings.Contains(err.Error(), ": "+key+"; ") ||
				!strings.Contains(err.Error(), ": nothing; ") {
				t.Errorf("%s: got %v, want what each file has", key, err)
			}
		}
	}
}

// Frames of the beads of a map's file are no frames of atoms, and say so.
func TestImportBeadsOfMapFile(t *testing.T) {
	mapping := filepath.Join(t.TempDir(), "two.map")
	if err := os.WriteFile(mapping, []byte("a C @1\nb C @5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := writeNPZ(t, map[string]npy{"R": {[]int{2, 2, 3}, make([]float64, 12)}})
	_, err := call(t, "import", "-structure", gro, "-map", mapping, "-o", filepath.Join(t.TempDir(), "out.arrow"), path)
	if err == nil || !strings.Contains(err.Error(), "as many places as the map two.map has beads") {
		t.Errorf("got %v", err)
	}
}
