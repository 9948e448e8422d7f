// Package cgbg is the workflow of coarse-grained Boltzmann generators: from frames of molecular dynamics to unbiased
// free energies with error bars.
//
//	frames (R, F) ──┬─▶ pmf.Fit  (force matching) ─▶ U(R)
//	                └─▶ flow.Fit (flow matching or likelihood) ─▶ samples R, ln q(R)
//	U, ln q ─▶ reweight: weights ─▶ analysis: means, populations, free energies, scores ─▶ figure, result
//
// A [Generator] holds the models of one molecule at one resolution, trained here ([Train]) or there already ([Open]),
// and draws, weighs and scores samples. Presets are "small" (seconds, to see that it runs), "quick" (minutes on two
// cores) and "paper". A [Plan] is all of it from a file ("cgbg run"). Steps keep what they make in a folder, under the
// fingerprint of all that it was made from: a step that is done returns at once, one that was stopped goes on.
//
// # The house
//
// Imports go down, floor by floor, and nothing below knows what is built on it; a test holds the code and this map to
// that. From the top:
//
//	cgbg/cmd/cgbg          the command line
//	cgbg/alanine           alanine dipeptide: its simulations, reference, models, and what is asked of it
//	cgbg/study             questions to a generator: potentials compared, ensembles, likelihoods, learning curves, …
//	cgbg/cost              what training and samples cost
//	cgbg/mullerbrown/lab   the workflow where everything is known exactly
//	cgbg                   settings, training, samples, weights, reports, plans
//	cgbg/analysis          sets of frames: variables, states, scores with floors, pictures; knows no model
//	cgbg/trajectory        from trajectories to frames of beads with forces and the weights that undo a bias
//	cgbg/topology          bonds, angles and chiral centres, found from frames
//	cgbg/observable        variables and states, histograms, free energies, scores, their errors and floors
//	cgbg/flow              flows of vector fields and of splines, their training, samples with their exact density
//	cgbg/pmf               potentials of mean force, force matching
//	cgbg/figure            pictures
//	cgbg/mullerbrown       the two-dimensional test system
//	cgbg/cgmap             atoms to beads, and their forces
//	cgbg/cgmap/waterbox    a peptide in water, for tests of size
//	cgbg/langevin          dynamics on a potential
//	cgbg/reweight          weights, effective sizes, Pareto smoothing, MBAR, a verdict
//	cgbg/e3                equivariance: harmonics, Wigner symbols, contractions
//	cgbg/ode               solvers and quadrature
//	cgbg/zmatrix           beads as bonds, angles and torsions of a tree
//	cgbg/forward           derivatives carried forward
//	cgbg/train             training loops with exact resume
//	cgbg/backend           XLA or Go
//	cgbg/result            numbers with errors, tables, pictures: what a study ends with
//	data                   frames in Arrow files, and what they are of
//	data/ala2              alanine dipeptide: a sample; below it all sets and models
//	data/ala2/explicit     in explicit water
//	data/ala2/obc2         in implicit water, a test-bed with a reference
//	data/ala2/baseline     in implicit water, as the paper ran it
//	data/ala2/models       flows, potentials, samples
//	data/ala3              tri-alanine
//	data/butane            butane, whose energy is known exactly
//	data/gromacs           TRR, XTC, GRO, PDB, AWH
//	data/dcd               DCD
//	data/npz               NumPy's NPZ
//	data/plumed            grids, hills, COLVAR, and inputs of PLUMED
//	data/hub               downloads of published sets
//	data/recipe            new simulations, by GROMACS or OpenMM
//	cgbg/kind              tables of fields, potentials and maps
//	cgbg/keep              files, written whole or not at all, and what they were made from
//	cgbg/cli               command lines
//	cgbg/units             constants
//	cgbg/fixture           what tests share
//
// Notebooks stand beside the house. Their cells join it and what shows its results; it knows nothing of them:
//
//	kernel                 the command: run, install, doctor, readme
//	kernel/run             notebooks, headless
//	kernel/display         what cells show and record
//	kernel/session         the kernel's process
//	kernel/jupyter         Jupyter's protocol
//	kernel/nbformat        files of notebooks
//	kernel/spec            the kernel as Jupyter finds it
//	kernel/plugin          XLA's plugins
//	kernel/readme          the page of the notebooks, with their numbers
//
// # Where a thing belongs
//
// Ask what it knows. Formulas over numbers, without a file or a model: reweight, observable, ode, e3. A file of another
// program: data/…. How it becomes beads, forces and weights: trajectory. What frames and weights say, whoever made
// them: analysis. Models, their training and files: flow, pmf. What joins models, files and settings: cgbg. A question
// to finished models: study, as a function of a [Generator] that returns a report; a report has some of Table, Results,
// Figures and Words, which cells and commands show without knowing it. One molecule: alanine. A message to the user, a
// flag: cmd/cgbg.
//
// Vector fields, potentials and maps have their "How to add" in the doc.go of flow, pmf and cgmap.
//
// # How to add a variable
//
// For one study, any function of a frame will do: observable.NewVariable, with no file touched. For everyone, and for
// files and flags, a variable is a word with arguments:
//
//   - an entry in the table kinds (cgbg/observable/variable_kind.go): its word, its form with arguments, how many these
//     are, whether it is an angle and goes round, and a function that binds it to the beads of given frames. A function
//     of named beads is one line, as dihedral, angle and distance are; others see how rg and rmsd do it;
//   - a line in VariableFormat (cgbg/observable/variable_text.go), which all commands print as help; a test holds the
//     two together.
//
// States, scores, floors, figures, the keys [variables] of plans and -variable of "cgbg report" then know it. What is
// to be tested: a frame worked out by hand, that it does not change when the molecule moves or turns, and, where it
// sees handedness, that a mirror changes it; cgbg/observable/variable_test.go has the tables for these.
//
// # How to add a reader of biases
//
// A bias becomes one log-weight a frame, kept as the column logw, while trajectories are imported:
//
//   - what another program writes is read by a package below data (data/plumed, say), which knows nothing of frames
//     and refuses what it cannot read rightly, with the cure; it gets a fuzz target;
//   - how its numbers become the log-weight of a frame is an entry of a table in package trajectory
//     (cgbg/trajectory/bias.go), whose doc.go says what the entry has.
//
// What is to be tested: weights of a bias that is known, against a plain loop; units, signs and temperature; a file of
// another molecule, of other variables, of too few rows, each refused.
//
// # How to add a notebook
//
//   - a file NN_name.ipynb in notebooks. The first cell has the question, the inputs and the cost, the last the result
//     and what it does not show; a cell tagged "parameters" holds preset and seed. Code cells begin with a comment that
//     is their title, and have 15 lines at most: what is longer is a study;
//   - cells show reports by display.Show, which records their numbers, and end with display.Finish;
//   - a test in notebooks/notebooks_test.go that runs it with the small preset and looks at its key numbers;
//   - run it ("go run ./kernel run"), commit it as executed, take its results over ("go run ./kernel readme RUN"), and
//     give it rows in notebooks/README.md.tmpl.
//
// Units: nm, ps, kJ/mol, K, rad; Müller–Brown has reduced units with kT = 1.
package cgbg
