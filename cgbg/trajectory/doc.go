// Package trajectory makes frames of beads of trajectories of molecular dynamics: it reads them as programs write them,
// makes molecules whole, maps atoms to beads, projects forces, and finds the weights that undo a bias.
//
//	structure ─┬─▶ who is who (package cgmap) ─▶ map, bonds ──┐
//	trajectory ┴─▶ frames, times, cells ─▶ whole molecules ───┴─▶ beads, forces ─┬─▶ Arrow frames
//	bias (grid, AWH, hills, COLVAR, windows, …) ─▶ log-weights ──────────────────┘
//
// What it takes for granted it says, and what it cannot read rightly it refuses, with the cure.
//
// # To add a way to know a bias
//
// A way is an entry of kindTable in bias.go: its name, which is that of the flag of "cgbg import" and of the key in a
// plan's [data]; a line about it; and a method of importer,
//
//	func (im *importer) readX(f *finder) (func(*biasFrame) (float64, error), error)
//
// that reads im.Weights.File("x") and returns the log-weight of a frame, up to a constant. The finder finds the
// variables that the bias is on, by their names in the file (f.find), and onGrid, ofGrid and newSeries serve functions
// of variables, grids and values in time. Nothing else is to be touched: the flag, its help, the check of paths, the
// order of sources, their comparison and the fingerprint of a plan come from the table. Options of its own go into
// Options, with a flag in bias_flags.go.
//
// Units: nm, ps, kJ/mol, K, rad.
package trajectory
