// Package pmf learns potentials of mean force U(R) by force matching, on
// equilibrium data or, by enhanced-sampling force matching, on data biased
// along R (paper, Eqs. 13 and 16, Propositions 2 and 3).
//
// Energies are in the unit of forces times the unit of positions (kJ/mol, nm;
// Müller–Brown: reduced units), and defined up to a constant.
//
// # How to add a potential
//
// A potential is one file and one line. The file, named after the potential, has
//
//   - the formula, as a type with the three methods of [Potential]: Dim, Init (parameters
//     by train.AddParam and train.AddDense, drawn on the host) and Energy, which must be
//     differentiable twice, since training differentiates forces;
//   - its description, a [Kind]: a name and a line about it for those who choose; whether
//     it must know the beads' species; the sizes that it has, with their defaults and small
//     ones; the training that belongs to it, at length, in minutes and in seconds (the presets
//     "paper", "quick" and "small"); the constructor from frames, species and kT; how it is
//     told from others (isA);
//   - in the description its form in files, if models of it are to be kept: the name of an
//     array that no other kind has (a parameter's, "param/<name>"), and a function that
//     finds the sizes from the arrays' shapes. What shapes do not tell is written as an
//     array of its own. Forms of files that are there are never changed, only added to.
//
// The line puts the description into the table kinds (kind.go). Fit, Import and Export,
// settings, commands and their help then know the potential by its name.
//
// What may be added: EnergyGradient, where forces by hand cost less than reverse mode;
// Check, which tells settings that make no sense before anything is computed; Reach and
// ListEnergy, for neighbour lists (neighbour.go).
//
// What is to be tested: the energy against a plain float64 loop, forces against finite
// differences, invariance under what the potential does not see, and that it keeps the
// molecule together where there are no data. Names, sizes and files are tested for every
// kind in the table (kind_test.go), which also adds a potential in this way.
package pmf
