// Package cgmap maps atoms to beads.
//
// The named maps are slices: a bead is one of the atoms. The force on a bead is
// then the force on its atom, which is an unbiased sample of the mean force as
// long as no constraint joins it to another atom (Noid et al., J. Chem. Phys.
// 128 (2008) 244114, Eq. 23). Any other linear map comes from a file
// ([ReadFile]), and its forces from [Basic] or [Gram.LeastNoise].
//
// Beads are named RESIDUE+NUMBER:ATOM, ALA2:CA say ([Name]), and the backbone's
// dihedrals follow from the names ([Backbone]). Which atoms belong together is found from
// a structure: residues from chain, number, insertion code and place in the file, chains from
// peptide bonds, elements and what is water or an ion from residue and atom name together.
//
// # How to add a map
//
// A named map is one entry of the table kinds (kind.go): a name, a sentence about its beads
// for those who choose, what a structure must have for it, and a function that picks the
// beads among the atoms of a residue. The function is given the layout of the structure,
// in which atoms have elements and names, and residues know their N, CA, C, caps and
// neighbours, whatever a file calls them; water and ions are never asked for. What picks
// beads is a named function where the entry would be longer than a line.
//
// [New], [Names], the import command, its help and its messages then know the map. A
// map of means of atoms has no place in the table: it comes from a file ([ReadFile]).
//
// What is to be tested: beads, species and dihedrals of a structure that is known, as
// TestAlanineDipeptide does; names of other force fields come with the layout. What every
// map must do is tested for all of the table (kind_test.go), which also adds one.
package cgmap
