// Package gromacs reads the files of GROMACS that the project needs: TRR
// trajectories (positions, velocities, forces), GRO structures, and the bias
// that adaptive biasing (AWH) has built, as `gmx awh` writes it.
//
// Units are GROMACS's own, which are the project's: nm, ps, kJ/mol/nm. Angles of
// AWH are degrees in its files and rad here.
//
// Source: the GROMACS reference manual, chapter "File formats",
// https://manual.gromacs.org; the layout of TRR is that of its libgromacs
// (fileio/trrio): XDR, big-endian.
package gromacs

import "errors"

// Errors that reading wraps; branch on them with errors.Is.
var (
	ErrFormat    = errors.New("not of the expected format")
	ErrTruncated = errors.New("the file is truncated")
	ErrNonFinite = errors.New("a number is not finite")
	ErrOutside   = errors.New("outside of the grid")
)
