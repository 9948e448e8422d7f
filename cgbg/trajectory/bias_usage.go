package trajectory

// biasUsage is what import says of weights.
const biasUsage = `Frames of a biased simulation get log-weights, kept in the column logw, from one of these. If
several are given the first one counts, and import says how much the others differ from it.

  -awh FILE          AWH's final grid (gmx awh -more -kt): ln w = -"Coord bias"; without -kt
                     the file is in kJ/mol, and -temperature says what kT is
  -bias FILE         the final bias on a grid of PLUMED's, kJ/mol (GRID_WFILE of METAD):
                     ln w = V/kT; free energies (sum_hills) are no such grid
  -hills FILE        METAD's hills, which are summed: ln w = V/kT with the final bias V; with
                     -rbias the bias at each frame's time less what all places share by then
                     (files of several walkers, one behind the other, give the final bias)
  -colvar FILE       values in time that PRINT wrote, with the bias: ln w = V/kT, V the column
                     -bias-column (metad.rbias, opes.bias, metad.rbias,walls.bias for a sum)
  -openmm-bias FILE  OpenMM's Metadynamics, .npy: the total bias (kJ/mol), or what
                     getFreeEnergy() returns with -bias-factor
  -logw FILE         log-weights of one's own, one for every frame of the trajectories, or
                     two columns, time (ps) and log-weight
  -umbrella FILE     umbrella windows with their trajectories, weighed together by MBAR

In examples "cgbg" stands for "go run ./cgbg/cmd/cgbg":

  cgbg import -temperature 300 -structure ala2.gro -awh awh.xvg -every 2 -o ala2_cb.arrow awh.trr
  cgbg import -temperature 300 -structure ala2.gro -bias bias.dat -skip 2000 -o ala2_cb.arrow metad.trr
  cgbg import -temperature 300 -structure all.gro -hills HILLS -plumed plumed.dat -o out.arrow metad.xtc
  cgbg import -temperature 300 -structure all.gro -colvar COLVAR -bias-column opes.bias -o out.arrow opes.xtc
  cgbg import -temperature 300 -structure all.gro -umbrella windows.toml -o out.arrow

Final biases weigh the frames of the time when the bias hardly grew any more: leave out those
before (-skip). Files that are read by times (-colvar, -rbias, -logw with two columns) need
a row for every frame that is kept, and are of one run: import runs one by one, each with its
own, and put them together (cgbg merge -level).

The biased variables, one or two of any kind, are found by the names in the grid or the hills:

  phi and psi         in a molecule that has one of each, else with the residue: phi3,
                      ala3_psi, PLUMED's @phi-3
  labels of -plumed   distances and their components, angles, torsions and radii of gyration
                      that the input file of PLUMED defines: d: DISTANCE ATOMS=1,5; they are
                      computed on all atoms of the trajectory, nearest images taken
  columns of -colvar  whatever else was biased, its values by time

Names that do not say it, and AWH, which has none, take -bias-variables: phi:ALA2,psi:ALA2, or
d,phi:ALA2 with -plumed, in the order of the file's columns (AWH of a molecule with one phi and
psi: phi,psi). OpenMM's arrays need the ranges of BiasVariable, too, in the order of Metadynamics'
list: phi:ALA2:-pi:pi:periodic,d:0.3:1.2. A frame where the grid does not reach is refused.

A file of umbrella windows says of each its trajectories, and the springs kappa/2 (x - centre)^2,
kJ/mol and rad or nm (degrees = true above all windows: centres of angles in degrees; what all
windows share may stand there, too); of two variables variables, centres and kappas are lists:

  variable = "phi"            # or d, with -plumed
  kappa = 200
  [[window]]
  trajectories = ["w00.xtc"]  # beside this file
  centre = -3.1
  [[window]]
  trajectories = ["w01.xtc", "w01b.xtc"]
  centre = -2.8
  kappa = 400

A bias that no weights undo is said with -biased "walls on d": forces of such frames count, as
those of a bias on the beads' own variables are good for mean forces; flows need weights.

`
