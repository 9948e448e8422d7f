// Package zmatrix describes beads in space by distances, angles and torsions along a tree: a Z-matrix, found from
// frames alone, for any map. Positions follow from the coordinates and the coordinates from positions in closed form,
// with the volume that a density needs.
//
// Every bead beyond three is placed by its distance from one bead before it, its angle with a second and its torsion
// with a third. Torsions of all but one of the beads that hang on one bead are taken against that one: they hardly
// vary, and their sign is the hand of a chiral centre.
//
// Units: nm and rad.
package zmatrix
