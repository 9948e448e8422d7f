package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// peptide is a capped chain of alanines with dihedrals that the test chose.
type peptide struct {
	gro, xtc string
	angle    [][][2]float64 // [frame, residue]: phi and psi, rad; the first residue is ALA2
}

// newPeptide builds the heavy atoms of every frame from internal coordinates, and writes them.
func newPeptide(t *testing.T, residues, frames int) *peptide {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(residues)))
	return peptideOf(t, frames, residues, func() float64 { return 2 * math.Pi * (rng.Float64() - 0.5) })
}

// peptideOf builds one whose dihedrals are drawn, frame by frame, φ before ψ.
func peptideOf(t *testing.T, frames, residues int, draw func() float64) *peptide {
	t.Helper()
	dir := t.TempDir()
	p := &peptide{gro: filepath.Join(dir, "chain.gro"), xtc: filepath.Join(dir, "chain.xtc")}
	f, err := os.Create(p.xtc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := gromacs.NewXTCWriter(f, 1e5)
	for n := range frames {
		var angle [][2]float64
		for k := range residues {
			phi := draw()
			angle = append(angle, [2]float64{phi, draw()})
			if n == 0 { // the structure, stretched, whose bonds are told by distances
				angle[k] = [2]float64{-2.4 + 0.1*float64(k), 2.5 + 0.1*float64(k)}
			}
		}
		atoms, r := chain(angle)
		if err := w.Append(&gromacs.Frame{Step: int64(n), Time: float64(n), R: r}); err != nil {
			t.Fatal(err)
		}
		p.angle = append(p.angle, angle)
		if n > 0 {
			continue
		}
		text := fmt.Sprintf("chain\n%d\n", len(atoms))
		for i, a := range atoms {
			text += fmt.Sprintf("%5d%-5s%5s%5d%8.3f%8.3f%8.3f\n", a.ResidueNumber, a.Residue, a.Name, i+1, r[3*i],
				r[3*i+1],
				r[3*i+2])
		}
		if err := os.WriteFile(p.gro, []byte(text+"   0.0 0.0 0.0\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// chain places ACE, alanines with these dihedrals, and NME.
func chain(angle [][2]float64) (atoms []gromacs.Atom, r []float32) {
	at := map[string][3]float64{}
	add := func(residue string, number int, name string, v [3]float64) {
		at[name] = v
		atoms = append(atoms, gromacs.Atom{Name: name, Residue: residue, ResidueNumber: number})
		r = append(r, float32(v[0]), float32(v[1]), float32(v[2]))
	}
	const bend, third = 112 * math.Pi / 180, 2 * math.Pi / 3
	add("ACE", 1, "CH3", [3]float64{0, 0, 0})
	add("ACE", 1, "C", [3]float64{0.15, 0, 0})
	add("ACE", 1, "O", [3]float64{0.22, 0.1, 0})
	n := place(at["O"], at["CH3"], at["C"], 0.134, bend, math.Pi)
	before := at["CH3"] // what the peptide bond's torsion is counted from
	for k, a := range angle {
		carbon := at["C"]
		ca := place(before, carbon, n, 0.146, bend, math.Pi)
		c := place(carbon, n, ca, 0.152, bend, a[0])
		add("ALA", k+2, "N", n)
		add("ALA", k+2, "CA", ca)
		add("ALA", k+2, "CB", place(carbon, n, ca, 0.153, bend, a[0]-third))
		add("ALA", k+2, "C", c)
		add("ALA", k+2, "O", place(n, ca, c, 0.123, third, a[1]+math.Pi))
		n, before = place(n, ca, c, 0.134, bend, a[1]), ca
	}
	add("NME", len(angle)+2, "N", n)
	add("NME", len(angle)+2, "CH3", place(before, at["C"], n, 0.146, bend, math.Pi))
	return atoms, r
}

// place is the atom at this distance (nm) from c, with the angle to b and the torsion to a, rad.
func place(a, b, c [3]float64, distance, angle, torsion float64) [3]float64 {
	minus := func(x, y [3]float64) [3]float64 { return [3]float64{x[0] - y[0], x[1] - y[1], x[2] - y[2]} }
	cross := func(x, y [3]float64) [3]float64 {
		return [3]float64{x[1]*y[2] - x[2]*y[1], x[2]*y[0] - x[0]*y[2], x[0]*y[1] - x[1]*y[0]}
	}
	unit := func(x [3]float64) [3]float64 {
		l := math.Sqrt(x[0]*x[0] + x[1]*x[1] + x[2]*x[2])
		return [3]float64{x[0] / l, x[1] / l, x[2] / l}
	}
	u := unit(minus(c, b))
	v := unit(cross(minus(b, a), u))
	w := cross(v, u)
	out := c
	for k := range out {
		out[k] += distance * (-math.Cos(angle)*u[k] + math.Sin(angle)*(math.Cos(torsion)*w[k]+math.Sin(torsion)*v[k]))
	}
	return out
}
