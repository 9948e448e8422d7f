package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// hill is a bias that is another with its arguments exchanged, kJ/mol.
func hill(x, y float64) float64 { return 9*math.Cos(x-1) - 4*math.Sin(y) + 2*math.Cos(2*x-y) }

const points = 120

// plumedGrid writes hill on a grid of PLUMED's.
func plumedGrid(t *testing.T, one, two, value string, f func(x, y float64) float64) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "#! FIELDS %s %s %s\n", one, two, value)
	for _, name := range []string{one, two} {
		fmt.Fprintf(&text, "#! SET min_%[1]s -pi\n#! SET max_%[1]s pi\n#! SET nbins_%[1]s %[2]d\n#! SET "+
			"periodic_%[1]s true\n", name, points)
	}
	for i := range points * points {
		x, y := -math.Pi+2*math.Pi*float64(i%points)/points, -math.Pi+2*math.Pi*float64(i/points)/points
		fmt.Fprintf(&text, "%.6f %.6f %.6f\n", x, y, f(x, y))
	}
	return written(t, "bias.dat", text.String())
}

// awhGrid writes minus hill as gmx awh writes it, from and to in degrees, in kT or kJ/mol at 300 K.
func awhGrid(t *testing.T, label string, from, to float64, unit float64) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "@    title \"AWH\"\n@    yaxis  label \"%s\"\n@ s0 legend \"dim1\"\n@ s1 legend \"PMF\"\n@ "+
		"s2 legend \"Coord bias\"\n", label)
	for x := from; x < to; x += 3 {
		for y := -180.0; y < 180; y += 3 {
			fmt.Fprintf(&text, "  %8.4f  %8.4f  0  %.9g\n", x, y, -hill(x*math.Pi/180, y*math.Pi/180)*unit)
		}
	}
	return written(t, "awh.xvg", text.String())
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// importWeights imports the peptide's frames, of which it returns the weights, and what was said.
func (p *peptide) importWeights(t *testing.T, args ...string) (logW []float64, said string, err error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.arrow")
	if said, err = call(t, append([]string{"import", "-structure", p.gro, "-o", out, "-temperature", "300", p.xtc},
		args...)...); err != nil {
		if _, left := os.Stat(out); left == nil {
			t.Errorf("%q: a file is left behind", args)
		}
		return nil, said, err
	}
	f, _, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return f.LogW, said, nil
}

const kT300 = 0.00831446261815324 * 300

// The weights are those of the dihedrals that the grid's names, or -bias-variables, say, in their order.
func TestBiasVariables(t *testing.T) {
	phi, psi := 0, 1
	type dihedral struct{ residue, kind int }
	p := newPeptide(t, 3, 4) // ALA2, ALA3, ALA4
	for _, c := range []struct {
		one, two string // names in the grid
		flag     string
		x, y     dihedral
	}{
		{"phi2", "psi2", "", dihedral{2, phi}, dihedral{2, psi}},
		{"phi3", "psi3", "", dihedral{3, phi}, dihedral{3, psi}},
		{"psi_4", "phi_4", "", dihedral{4, psi}, dihedral{4, phi}},
		{"phi-2", "psi-2", "", dihedral{2, phi}, dihedral{2, psi}},
		{"@psi-3", "@phi-3", "", dihedral{3, psi}, dihedral{3, phi}},
		{"ala3_phi", "ALA3-psi", "", dihedral{3, phi}, dihedral{3, psi}},
		{"phi_ala4", "Psi.res4", "", dihedral{4, phi}, dihedral{4, psi}},
		{"psi2", "phi3", "", dihedral{2, psi}, dihedral{3, phi}},
		{"phi2", "phi3", "", dihedral{2, phi}, dihedral{3, phi}},
		{"phi", "psi", "phi:ALA2,psi:ALA2", dihedral{2, phi}, dihedral{2, psi}},
		{"psi", "phi", "psi4, phi4", dihedral{4, psi}, dihedral{4, phi}},
		{"t1", "t2", "phi:3,psi:3", dihedral{3, phi}, dihedral{3, psi}},
		{"phi1", "psi1", "phi:ALA2,psi:ALA2", dihedral{2, phi}, dihedral{2, psi}}, // counted by its author
	} {
		t.Run(c.one+","+c.two+" "+c.flag, func(t *testing.T) {
			args := []string{"-bias", plumedGrid(t, c.one, c.two, "metad.bias", hill)}
			if c.flag != "" {
				args = append(args, "-bias-variables", c.flag)
			}
			got, said, err := p.importWeights(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			for i, angle := range p.angle {
				// 1e-5 nm in the trajectory and a grid of 3 degrees.
				if want := hill(angle[c.x.residue-2][c.x.kind],
					angle[c.y.residue-2][c.y.kind]) / kT300; math.Abs(got[i]-want) > 2e-3 {
					t.Errorf("frame %d: ln w is %g, want %g", i, got[i], want)
				}
			}
			name := fmt.Sprintf("%s of ALA%d and %s of ALA%d", []string{"phi", "psi"}[c.x.kind], c.x.residue,
				[]string{"phi", "psi"}[c.y.kind], c.y.residue)
			if !strings.Contains(said, name) {
				t.Errorf("said %q, want %q", said, name)
			}
		})
	}
}

// Grids that do not say which dihedrals they are on, or say what is not there, are refused with the cure.
func TestBiasVariablesRefused(t *testing.T) {
	p, single := newPeptide(t, 3, 2), newPeptide(t, 1, 2)
	for _, c := range []struct {
		p              *peptide
		one, two, flag string
		want           string
	}{
		{p, "phi", "psi", "", "ALA2, ALA3, ALA4; give -bias-variables \"phi:ALA2,psi:ALA2\""},
		{p, "phi5", "psi5", "", "phi5: no residue"},
		{p, "gly3_phi", "gly3_psi", "", "gly3_phi: no residue"},
		{p, "phi_ala", "psi_ala", "", "may be of ALA2, ALA3, ALA4"},
		{p, "t1", "t2", "", "give -bias-variables"},
		{p, "phi3", "d1", "", "its variable d1"},
		{p, "phi3", "phi3b", "", "phi3b: no residue"},
		{p, "psi3", "phi3", "phi3,psi3", "the order is the file's"},
		{p, "t1", "t2", "phi3,phi3", "same dihedral"},
		{p, "t1", "t2", "phi3", "a comma between"},
		{p, "t1", "t2", "phi3,omega3", "omega3"},
		{p, "phi3", "chi3", "", "chi3"},
		{single, "phi3", "psi3", "", "those that have are ALA2"},
		{single, "d1", "psi", "", "d1"},
		{single, "phi", "dpsi", "", "dpsi"},
		{single, "cosphi", "psi", "", "cosphi"},
		{single, "phi", "psi", "psi,phi", "the order is the file's"},
	} {
		args := []string{"-bias", plumedGrid(t, c.one, c.two, "metad.bias", hill)}
		if c.flag != "" {
			args = append(args, "-bias-variables", c.flag)
		}
		if _, _, err := c.p.importWeights(t, args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s, %q: got %v, want %q", c.one, c.two, c.flag, err, c.want)
		}
	}
	if _, _, err := p.importWeights(t, "-bias-variables", "phi2,psi2"); !errors.Is(err, errUsage) {
		t.Errorf("no bias: got %v", err)
	}
	// AWH has no names.
	awh := awhGrid(t, `(k\sB\NT)`, -180, 180, 1/kT300)
	if _, _, err := p.importWeights(t, "-awh", awh); err == nil || !strings.Contains(err.Error(),
		`give -bias-variables "phi:ALA2,psi:ALA2"`) {
		t.Errorf("AWH of three residues: got %v", err)
	}
}

// One bias gives the same weights by every program, order and unit.
func TestBiasUnits(t *testing.T) {
	p := newPeptide(t, 1, 4)
	swapped := func(x, y float64) float64 { return hill(y, x) }
	for name, args := range map[string][]string{
		"PLUMED":            {"-bias", plumedGrid(t, "phi", "psi", "metad.bias", hill)},
		"PLUMED, psi first": {"-bias", plumedGrid(t, "psi", "phi", "metad.bias", swapped)},
		"AWH in kT":         {"-awh", awhGrid(t, `(k\sB\NT), (nm\S-2\N or rad\S-2\N), (-)`, -180, 180, 1/kT300)},
		"AWH in kJ/mol":     {"-awh", awhGrid(t, `(kJ/mol), (nm\S-2\N or rad\S-2\N), (-)`, -180, 180, 1)},
		"AWH from 0":        {"-awh", awhGrid(t, `(kJ/mol)`, 0, 360, 1)},
		"AWH, names given":  {"-awh", awhGrid(t, `(kT)`, -180, 180, 1/kT300), "-bias-variables", "phi,psi"},
		"AWH, beads not atoms": {"-awh", awhGrid(t, `(k_BT)`, -180, 180, 1/kT300), "-map", mapFile(t,
			"a C ALA2:CA ALA2:CB\nb N NME3:N\n")},
	} {
		got, _, err := p.importWeights(t, args...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, angle := range p.angle {
			// Bilinear between points 3 degrees apart: h²/8 times the curvature, 20 kJ/mol.
			if want := hill(angle[0][0], angle[0][1]) / kT300; math.Abs(got[i]-want) > 0.01 {
				t.Errorf("%s: frame %d: ln w is %g, want %g", name, i, got[i], want)
			}
		}
	}
	// The bias of ψ and φ, in this order.
	got, _, err := p.importWeights(t, "-awh", awhGrid(t, `(kJ/mol)`, -180, 180, 1), "-bias-variables", "psi,phi")
	if err != nil {
		t.Fatal(err)
	}
	if want := hill(p.angle[0][0][1], p.angle[0][0][0]) / kT300; math.Abs(got[0]-want) > 0.01 {
		t.Errorf("psi, phi: ln w is %g, want %g", got[0], want)
	}
}

// Without a temperature, or where the bias is not known, there are no weights.
func TestBiasRefused(t *testing.T) {
	p := newPeptide(t, 1, 4)
	for _, c := range []struct {
		name, kind, file string
		temperature      float64
		want             string
	}{
		{"PLUMED without temperature", "bias", plumedGrid(t, "phi", "psi", "metad.bias", hill), 0,
			"give -temperature K"},
		{"AWH without temperature", "awh", awhGrid(t, "(kJ/mol)", -180, 180, 1), 0,
			"give -temperature K, of the simulation, or make the file with gmx awh -more -kt"},
		{"no bias", "awh", written(t, "awh.xvg", "@ yaxis label \"(kT)\"\n@ s0 legend \"dim1\"\n@ s1 legend \"PMF\"\n"+
			"0 0 1\n0 180 1\n180 0 1\n180 180 1\n"), 0, "gmx awh -more -kt"},
		{"unknown unit", "awh", awhGrid(t, "(kcal/mol)", -180, 180, 1), 300, "(kcal/mol)"},
		{"partial grid", "awh", awhGrid(t, "(kT)", -120, -39, 1), 300,
			"which does not go round, runs from -120 to -42"},
		{"free energy", "bias", plumedGrid(t, "phi", "psi", "file.free", hill), 300, "file.free"},
	} {
		_, err := p.importBy(t, c.kind, c.file, c.temperature)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	// In kT a temperature changes no weight, and need not be known.
	r, err := p.importBy(t, "awh", awhGrid(t, "(kT)", -180, 180, 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	if f, _, err := data.ReadFile(r.Out); err != nil || len(f.LogW) != r.Frames {
		t.Errorf("AWH in kT without temperature: got %v", err)
	}
}

// importBy imports the peptide's frames with weights of a kind.
func (p *peptide) importBy(t *testing.T, kind, file string, temperature float64) (*trajectory.Imported, error) {
	t.Helper()
	o := trajectory.NewOptions()
	o.Structure, o.Trajectories, o.Out = p.gro, []string{p.xtc}, filepath.Join(t.TempDir(), "x.arrow")
	o.Temperature, o.Weights = temperature, trajectory.Weights{{Kind: kind, File: file}}
	return trajectory.Import(context.Background(), o)
}

// Frames of beads have a weight where the beads have the dihedrals.
func TestBiasOfBeads(t *testing.T) {
	for _, c := range []struct {
		residues int
		biased   string
		want     string
	}{{1, "2", ""}, {3, "3", ""}, {3, "2", "no phi of ALA2"}} {
		p := newPeptide(t, c.residues, 3)
		s, err := gromacs.ReadStructure(p.gro)
		if err != nil {
			t.Fatal(err)
		}
		m, err := cgmap.New(cgmap.CoreBeta, s)
		if err != nil {
			t.Fatal(err)
		}
		all, err := gromacs.OpenXTC(p.xtc)
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		f, err := os.Create(filepath.Join(t.TempDir(), "beads.xtc"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w := gromacs.NewXTCWriter(f, 1e5)
		var frame gromacs.Frame
		for {
			if err := all.Next(&frame); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if frame.R, err = m.Apply(nil, frame.R); err != nil {
				t.Fatal(err)
			}
			if err := w.Append(&frame); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		grid := plumedGrid(t, "phi"+c.biased, "psi"+c.biased, "metad.bias", hill)
		beads := &peptide{gro: p.gro, xtc: f.Name()}
		got, _, err := beads.importWeights(t, "-bias", grid)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d residues, bias on %s: got %v, want %q", c.residues, c.biased, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := p.importWeights(t, "-bias", grid)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-3 { // rounded once more
				t.Errorf("%d residues: frame %d: ln w of beads is %g, of atoms %g", c.residues, i, got[i], want[i])
			}
		}
	}
}
