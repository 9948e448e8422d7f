// Package e3 has what networks equivariant under rotation and inversion are
// made of: real spherical harmonics, Wigner 3j symbols in the real basis, paths
// of tensor products, and the bases of symmetric contractions. Tables are
// computed in float64 on the host; graph.go builds the operations on them.
//
// Conventions. The component of index l+m of degree l belongs to m = −l … l;
// the polar axis is y, so that degree 1 is (x, y, z) in that order. Harmonics are
// component-normalised: the squares of one degree add up to 2l+1 on the unit
// sphere. Signs of the 3j symbols are those of e3nn (M. Geiger and T. Smidt,
// arXiv 2207.09453).
package e3
