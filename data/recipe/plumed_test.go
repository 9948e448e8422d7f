package recipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// fakeGMX writes down its arguments, and makes empty files under the names that GROMACS would give them. The variables
// FAKE_PATCHED, FAKE_GRID and FAKE_FAIL say whether it knows -plumed, writes the bias, and at which step it fails.
const fakeGMX = `#!/bin/sh
case "$*" in
*--version*) echo "GROMACS version:    2023.5-plumed_2.9.2"; exit 0 ;;
*"mdrun -h"*)
	echo " -deffnm <string>"
	[ -z "$FAKE_PATCHED" ] || echo " -plumed [<.dat>] (plumed.dat) (Opt.)"
	exit 0 ;;
esac
shift 2 # -quiet -nobackup
echo "$*" >>calls.txt
case "$*" in *"$FAKE_FAIL"*) [ -z "$FAKE_FAIL" ] || { echo "out of luck" >&2; exit 1; } ;; esac
while [ $# -gt 0 ]; do
	case "$1" in
	-o | -p) case "$2" in *conf.gro) cp "$FAKE_CONF" "$2" ;; *) : >"$2" ;; esac ;;
	-deffnm) : >"$2.gro"; : >"$2.trr" ;;
	-plumed) [ -f "$2" ] || exit 1; [ -z "$FAKE_GRID" ] || : >bias.dat ;;
	esac
	shift
done
`

// script writes a program for the test.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gmx")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func calls(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "calls.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// fakeMolecule says what fakeGMX makes by pdb2gmx.
func fakeMolecule(t *testing.T, path string) {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE_CONF", path)
}

// The steps with PLUMED, as GROMACS is told them: the production run has the bias, the rerun neither the bias nor the
// production's run input, which writes no forces.
func TestPlumedSteps(t *testing.T) {
	o := small(t)
	o.Bias, o.GMX = "plumed", script(t, fakeGMX)
	fakeMolecule(t, "../gromacs/testdata/ala2.gro")
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrNoPlumed) {
		t.Fatalf("GROMACS without PLUMED: got %v", err)
	}
	t.Setenv("FAKE_PATCHED", "1")
	t.Setenv("FAKE_FAIL", "-deffnm rerun")
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Fatalf("a rerun that fails: got %v", err)
	}
	before := calls(t, o.Dir)
	t.Setenv("FAKE_FAIL", "")
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "no grid") {
		t.Fatalf("no grid: got %v", err)
	}
	got := calls(t, o.Dir)
	if resumed := got[len(before):]; len(resumed) != 3 || !strings.HasPrefix(resumed[0], "mdrun -deffnm rerun") {
		t.Errorf("gone on at the rerun: got %q", resumed)
	}
	const threads = " -v -ntmpi 1 -ntomp 2"
	want := []string{
		"pdb2gmx", "editconf", "solvate", "make_ndx", "grompp -f em.mdp", "mdrun -deffnm em" + threads,
		"grompp -f nvt.mdp", "mdrun -deffnm nvt -cpi nvt.cpt" + threads,
		"grompp -f md.mdp -c nvt.gro -t nvt.cpt -p topol.top -n index.ndx -o part_md.tpr",
		"mdrun -deffnm md -cpi md.cpt -plumed plumed.dat" + threads,
		"grompp -f rerun.mdp -c nvt.gro -p topol.top -o part_rerun.tpr", "mdrun -deffnm rerun -rerun md.trr" + threads,
		"mdrun -deffnm rerun -rerun md.trr" + threads,
		"trjconv -f rerun.trr -s md.tpr -pbc mol -force yes -vel no -o part_solute.trr",
		"trjconv -f rerun.trr -s md.tpr -pbc mol -dump 0 -o part_solute.gro",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d calls, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("call %d: got %q, want %q", i, got[i], want[i])
		}
	}
	for name, lines := range map[string][]string{
		"md.mdp": {"nstfout = 0", "nstxout = 100"}, "rerun.mdp": {"nstfout = 1", "nstxout = 1"}} {
		text, err := os.ReadFile(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !slices.Contains(strings.Split(string(text), "\n"), line) {
				t.Errorf("%s has no line %q", name, line)
			}
		}
		if strings.Contains(string(text), "awh") {
			t.Errorf("%s biases with AWH", name)
		}
	}
}

// A finished run names its files, and is not done again.
func TestPlumedResult(t *testing.T) {
	t.Setenv("FAKE_PATCHED", "1")
	t.Setenv("FAKE_GRID", "1")
	t.Setenv("FAKE_FAIL", "")
	o := small(t)
	o.Bias, o.GMX = "plumed", script(t, fakeGMX)
	fakeMolecule(t, "../gromacs/testdata/ala2.gro")
	for range 2 {
		r, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{r.Trajectory, r.Structure, r.Grid} {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		if r.AWH != "" || r.Variables != "phi:ALA2,psi:ALA2" || r.Version != "2023.5-plumed_2.9.2" {
			t.Errorf("got %+v", r)
		}
		if n := len(calls(t, o.Dir)); n != 14 {
			t.Errorf("got %d calls, want 14", n)
		}
	}
	left, err := filepath.Glob(filepath.Join(o.Dir, "part_*"))
	if err != nil || left != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// What is biased has the residue's name where there are more, and atoms that are no phi and psi are refused.
func TestBiased(t *testing.T) {
	t.Setenv("FAKE_PATCHED", "1")
	t.Setenv("FAKE_GRID", "1")
	t.Setenv("FAKE_FAIL", "")
	molecule := func(second string) (pdb, gro string) {
		type group struct {
			name  string
			atoms []string
		}
		ala := []string{"N", "H", "CA", "HA", "CB", "HB1", "HB2", "HB3", "C", "O"}
		chain := []group{{"ACE", []string{"CH3", "HH31", "HH32", "HH33", "C", "O"}}, {second, ala}, {"ALA", ala},
			{"NME", []string{"N", "H", "CH3", "HH31", "HH32", "HH33"}}}
		if second == "GLY" {
			chain[1].atoms = []string{"N", "H", "CA", "HA1", "HA2", "C", "O"}
		}
		n, body := 0, ""
		for i, g := range chain {
			for _, atom := range g.atoms {
				n++
				body += fmt.Sprintf("%5d%-5s%5s%5d%8.3f%8.3f%8.3f\n", i+1, g.name, atom, n, 0.1*float64(n), 0.0, 0.0)
				pdb += fmt.Sprintf("ATOM  %5d %4s %3s  %4d    %8.3f%8.3f%8.3f\n", n, atom, g.name, i+1, float64(n), 0.0,
					0.0)
			}
		}
		dir := t.TempDir()
		gro = filepath.Join(dir, "conf.gro")
		if err := os.WriteFile(gro, []byte(fmt.Sprintf("two\n%d\n%s   3 3 3\n", n, body)), 0o644); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "two.pdb")
		if err := os.WriteFile(name, []byte(pdb+"END\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return name, gro
	}
	for _, c := range []struct{ second, want string }{{"ALA", ""}, {"GLY", "those of GLY2 are [5 7 9 12 14]"}} {
		o := small(t)
		var gro string
		o.Structure, gro = molecule(c.second)
		o.Bias, o.GMX = "plumed", script(t, fakeGMX)
		fakeMolecule(t, gro)
		r, err := Run(context.Background(), o)
		if c.want != "" {
			if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.second, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		input, err := os.ReadFile(filepath.Join(o.Dir, "plumed.dat"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Variables != "phi:ALA2,psi:ALA2" ||
			!strings.HasPrefix(string(input), "phi_ALA2: TORSION ATOMS=5,7,9,15\npsi_ALA2: TORSION "+
				"ATOMS=7,9,15,17\nmetad: METAD ARG=phi_ALA2,psi_ALA2 SIGMA=0.35,0.35 ") {
			t.Errorf("got %s by\n%s", r.Variables, input)
		}
	}
	o := small(t)
	o.Bias, o.GMX, o.Structure = "plumed", script(t, fakeGMX), filepath.Join(t.TempDir(), "water.pdb")
	if err := os.WriteFile(o.Structure, []byte("ATOM      1  OW  SOL     1       1.000   1.000   1.000\nEND\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrOptions) ||
		!strings.Contains(err.Error(), "no residue has both") {
		t.Errorf("water: got %v", err)
	}
}

// pretender runs GROMACS as if it were patched, without the bias.
const pretender = `#!/bin/sh
case "$*" in *"mdrun -h"*) echo " -plumed"; exit 0 ;; esac
plumed=
for a; do
	shift
	case "$a" in
	-plumed) plumed=1 ;;
	plumed.dat) ;;
	*) set -- "$@" "$a" ;;
	esac
done
[ -z "$plumed" ] || : >bias.dat
exec gmx "$@"
`

// The steps with PLUMED run in GROMACS itself, here without a bias: every frame of the molecule has forces.
func TestPlumedForces(t *testing.T) {
	if _, err := exec.LookPath("gmx"); err != nil {
		t.Skip("GROMACS is not installed: apt-get install gromacs")
	}
	if testing.Short() {
		t.Skip("runs molecular dynamics")
	}
	o := small(t)
	o.Bias, o.GMX, o.Length = "plumed", script(t, pretender), 1
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	trr, err := gromacs.OpenTRR(r.Trajectory)
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	var f gromacs.Frame
	n := 0
	for ; ; n++ {
		if err := trr.Next(&f); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(f.R) != 66 || len(f.F) != 66 || math.Abs(f.Time-0.1*float64(n)) > 1e-4 {
			t.Fatalf("frame %d: %d positions, %d forces, %g ps", n, len(f.R), len(f.F), f.Time)
		}
	}
	if n != 11 {
		t.Errorf("got %d frames, want 11", n)
	}
}

// PLUMED itself takes the input, and the grid that it writes is the bias of the hills at the frames' dihedrals, summed
// here.
func TestPlumedDriver(t *testing.T) {
	if _, err := exec.LookPath("plumed"); err != nil {
		t.Skip("PLUMED is not installed")
	}
	trr, err := gromacs.OpenTRR("../gromacs/testdata/ala2.trr")
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	dir := t.TempDir()
	var xyz strings.Builder
	var phi, psi []float64
	var f gromacs.Frame
	for trr.Next(&f) == nil {
		fmt.Fprintf(&xyz, "%d\n%g %g %g\n", len(f.R)/3, f.Box[0], f.Box[4], f.Box[8])
		for i := 0; i < len(f.R); i += 3 {
			fmt.Fprintf(&xyz, "X %.9f %.9f %.9f\n", f.R[i], f.R[i+1], f.R[i+2])
		}
		a := dihedralAtoms
		phi = append(phi, dihedral(f.R, a[:4]))
		psi = append(psi, dihedral(f.R, a[1:]))
	}
	const gamma = 9
	steps := int64(len(phi)-1) * plumedPace // a frame is a hill
	for name, text := range map[string]string{"plumed.dat": metad([2]string{"phi", "psi"}, gamma, steps),
		"ala2.xyz": xyz.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("plumed", "driver", "--plumed", "plumed.dat", "--ixyz", "ala2.xyz", "--timestep", "0.0005",
		"--trajectory-stride", fmt.Sprint(plumedPace))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	grid, err := plumed.ReadGrid(filepath.Join(dir, "bias.dat"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(grid.Bins, []int{gridBins, gridBins}) || !slices.Equal(grid.Names, []string{"phi", "psi"}) {
		t.Errorf("got a grid of %v, %v", grid.Names, grid.Bins)
	}
	bias := hills(phi[1:], psi[1:], gamma) // none at the first step
	for i := range gridBins * gridBins {
		x, y := -math.Pi+2*math.Pi*float64(i%gridBins)/gridBins, -math.Pi+2*math.Pi*float64(i/gridBins)/gridBins
		// PLUMED cuts a hill off where it has fallen to 0.002 of its height, and takes the heights from a spline.
		if want := bias(x, y); math.Abs(grid.Values[i]-want) > 0.005*plumedHeight*float64(len(phi)) {
			t.Fatalf("at %g, %g: got %g kJ/mol, want %g", x, y, grid.Values[i], want)
		}
	}
}

// dihedral of four atoms, from 1, in rad: the angle between the planes of the first and the last three, by IUPAC's
// sign.
func dihedral(r []float32, atoms []int) float64 {
	var b [3][3]float64
	for i := range b {
		for k := range 3 {
			b[i][k] = float64(r[3*atoms[i+1]-3+k]) - float64(r[3*atoms[i]-3+k])
		}
	}
	cross := func(u, v [3]float64) [3]float64 {
		return [3]float64{u[1]*v[2] - u[2]*v[1], u[2]*v[0] - u[0]*v[2], u[0]*v[1] - u[1]*v[0]}
	}
	dot := func(u, v [3]float64) float64 { return u[0]*v[0] + u[1]*v[1] + u[2]*v[2] }
	m, n := cross(b[0], b[1]), cross(b[1], b[2])
	return math.Atan2(math.Sqrt(dot(b[1], b[1]))*dot(b[0], n), dot(m, n))
}

// hills is the well-tempered bias of hills one after the other at these dihedrals, kJ/mol.
// Source: Barducci, Bussi and Parrinello, doi 10.1103/PhysRevLett.100.020603.
func hills(phi, psi []float64, gamma float64) func(x, y float64) float64 {
	var heights []float64
	bias := func(x, y float64) float64 {
		sum := 0.0
		for i, h := range heights {
			dx, dy := math.Remainder(x-phi[i], 2*math.Pi)/plumedWidth, math.Remainder(y-psi[i], 2*math.Pi)/plumedWidth
			sum += h * math.Exp(-(dx*dx+dy*dy)/2)
		}
		return sum
	}
	const kT = 0.00831446261815324 * 300
	for i := range phi {
		heights = append(heights, plumedHeight*math.Exp(-bias(phi[i], psi[i])/(kT*(gamma-1))))
	}
	return bias
}
