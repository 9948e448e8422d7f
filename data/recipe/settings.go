package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/keep"
)

const (
	minimiseSteps   = 500
	equilibrationPS = 50.0
	plumedHeight    = 1.2  // kJ/mol
	plumedWidth     = 0.35 // rad
	plumedPace      = 500  // steps
	gridBins        = 90
)

// everyRun has the lines of every run: PME, 1.0 nm cut-offs, NVT at 300 K, nothing constrained but the water.
const everyRun = `cutoff-scheme = Verlet
coulombtype = PME
rcoulomb = 1.0
rvdw = 1.0
`

const thermostat = `tcoupl = v-rescale
tc-grps = System
tau-t = 0.1
ref-t = 300
constraints = none
`

func (r *run) steps() float64 { return math.Round(r.Length * 1000 / r.Step) }

func (r *run) equilibration() float64 {
	return math.Round(min(equilibrationPS, r.Length) * 1000 / r.Step)
}

// settings writes the input files, and refuses a folder that has others.
func (r *run) settings() error {
	every := fmt.Sprint(int64(math.Round(r.Interval * 1000 / r.Step)))
	dt := "dt = " + number(r.Step/1000) + "\n"
	seed := fmt.Sprintf("ld-seed = %d\n", r.Seed)
	forces := "nstfout = " + every + "\n"
	bias := ""
	if r.Bias != "none" {
		forces = "nstfout = 0\n" // they would have the bias; the rerun makes others
	}
	if r.Bias == "awh" {
		bias = awh(r.Gamma, r.Seed, int64(r.steps()))
	}
	files := map[string]string{
		"em.mdp": "integrator = steep\n" + fmt.Sprintf("nsteps = %d\n", minimiseSteps) + everyRun,
		"nvt.mdp": "integrator = md\n" + dt + fmt.Sprintf("nsteps = %.0f\n", r.equilibration()) + everyRun + thermostat +
			seed + fmt.Sprintf("gen-vel = yes\ngen-temp = 300\ngen-seed = %d\n", r.Seed),
		"md.mdp": "integrator = md\n" + dt + fmt.Sprintf("nsteps = %.0f\n", r.steps()) + everyRun + thermostat + seed +
			"continuation = yes\nnstxout = " + every + "\n" + forces +
			"nstvout = 0\nnstlog = 100000\nnstenergy = 50000\n" + bias,
		"rerun.mdp": "integrator = md\n" + dt + fmt.Sprintf("nsteps = %.0f\n", r.steps()) + everyRun + thermostat +
			"nstxout = 1\nnstfout = 1\nnstvout = 0\nnstlog = 0\nnstenergy = 1000\n",
	}
	if r.Bias == "awh" { // energies must be written as often as AWH's grid
		files["md.mdp"] = strings.Replace(files["md.mdp"], "nstenergy = 50000",
			fmt.Sprintf("nstenergy = %d", gridEvery(int64(r.steps()))), 1)
	}
	if r.Bias != "none" {
		names, err := r.variables()
		if err != nil {
			return err
		}
		if r.Bias == "plumed" {
			files["plumed.dat"] = metad(names, r.Gamma, int64(r.steps()))
		}
	}
	stamp := fmt.Sprintf("structure %s\nbox %g nm\nbias %s\n", filepath.Base(r.Structure), r.Box, r.Bias)
	for _, name := range []string{"em.mdp", "nvt.mdp", "md.mdp", "rerun.mdp", "plumed.dat"} {
		if text, ok := files[name]; ok {
			stamp += "== " + name + "\n" + text
		}
	}
	path := filepath.Join(r.Dir, "recipe.txt")
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) != stamp:
		return fmt.Errorf("the folder was made with other settings (recipe.txt has them): %w; choose another "+
			"folder, or remove it", ErrOptions)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for name, text := range files {
		if err := keep.WriteFile(filepath.Join(r.Dir, name), []byte(text)); err != nil {
			return err
		}
	}
	return keep.WriteFile(path, []byte(stamp))
}

// metad is PLUMED's input for well-tempered metadynamics on φ and ψ, which have these names in its grid. Its
// hills are in HILLS, from which a run that goes on takes them.
func metad(names [2]string, gamma float64, steps int64) string {
	a := dihedralAtoms
	return fmt.Sprintf(`%[15]s: TORSION ATOMS=%[1]d,%[2]d,%[3]d,%[4]d
%[16]s: TORSION ATOMS=%[5]d,%[6]d,%[7]d,%[8]d
metad: METAD ARG=%[15]s,%[16]s SIGMA=%[9]g,%[9]g HEIGHT=%[10]g PACE=%[11]d BIASFACTOR=%[12]g TEMP=300 `+
		`GRID_MIN=-pi,-pi GRID_MAX=pi,pi GRID_BIN=%[13]d,%[13]d GRID_WFILE=bias.dat GRID_WSTRIDE=%[14]d
`, a[0], a[1], a[2], a[3], a[1], a[2], a[3], a[4], plumedWidth, plumedHeight, plumedPace, gamma, gridBins,
		gridEvery(steps), names[0], names[1])
}

// gridEvery is how often the bias is written, in steps: a divisor of the run's length, so that the last one is of its
// end.
func gridEvery(steps int64) int64 {
	for _, every := range []int64{50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100} {
		if steps%every == 0 {
			return every
		}
	}
	return 100
}

// awh biases φ and ψ towards the well-tempered ensemble: a local-Boltzmann target whose β is scaled by 1/γ.
func awh(gamma float64, seed int, steps int64) string {
	var b strings.Builder
	b.WriteString("pull = yes\npull-ngroups = 5\npull-ncoords = 2\npull-nstxout = 0\npull-nstfout = 0\n")
	for i, atom := range dihedralAtoms {
		fmt.Fprintf(&b, "pull-group%d-name = a_%d\n", i+1, atom)
	}
	for k := 1; k <= 2; k++ {
		fmt.Fprintf(&b, "pull-coord%d-geometry = dihedral\npull-coord%[1]d-groups = %d %d %d %d %d "+
			"%d\npull-coord%[1]d-dim = Y Y Y\n", k, k, k+1, k+1, k+2, k+2, k+3)
		fmt.Fprintf(&b, "pull-coord%d-type = external-potential\npull-coord%[1]d-potential-provider = awh\n", k)
	}
	fmt.Fprintf(&b, "awh = yes\nawh-potential = convolved\nawh-nstout = %d\nawh-nstsample = 10\nawh-nsamples-update "+
		"= 10\nawh-seed = %d\nawh-nbias = 1\n", gridEvery(steps), seed)
	fmt.Fprintf(&b, "awh1-ndim = 2\nawh1-error-init = 10\nawh1-growth = linear\nawh1-target = "+
		"local-boltzmann\nawh1-target-beta-scaling = %.6f\n", 1/gamma)
	for k := 1; k <= 2; k++ {
		fmt.Fprintf(&b, "awh1-dim%d-coord-index = %[1]d\nawh1-dim%[1]d-start = -180\nawh1-dim%[1]d-end = "+
			"180\nawh1-dim%[1]d-force-constant = 100\nawh1-dim%[1]d-diffusion = 0.1\n", k)
	}
	return b.String()
}
