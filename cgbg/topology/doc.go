// Package topology finds from frames alone what is bonded in beads of any kind and
// under any names: bonds, angles between them, and chiral centres. It says how wide
// bonds and angles are, and which other configurations have the hand of the frames.
//
// A bond is an edge of the beads' minimum spanning tree by mean distance, or one that
// closes a ring of such edges, whose length hardly changes. An angle is between two bonds of one
// bead. A chiral centre is a bead with three bonds or more whose triple product (the
// volume that the unit vectors along three of them span) never changes its sign,
// well away from zero: carbons of four substituents, but no planar ones, none that
// inverts in the frames, and none at all where the frames have both hands.
// Substituents count by their place in the frame, not by their kind: a methyl group with its
// three hydrogens is a centre, too, since frames of dynamics never exchange them.
//
// Handedness that stands in no such centre is not seen. Beads N, CA, C and O of a
// backbone without CB have none, although the peptide is chiral: there only the distribution of
// the dihedrals tells a configuration from its mirror image.
//
// Units: lengths as in the frames (nm), angles in rad.
package topology
