// Package figure draws the pictures of the paper with gonum/plot and returns them as bytes, PNG and SVG.
//
// Inputs are plain slices and functions. It knows no model, no notebook and no file. Every picture has one style
// (style.go): Liberation Sans (metrically Helvetica/Arial) at 7–8 pt, the colours of Okabe and Ito, which colour-blind
// readers can tell apart, shaded bands of one standard error, keys and remarks above the axes so that they never hide
// data, 300 dots per inch (160 for sheets of two columns). The same input gives the same bytes.
//
// Source of the layout: Fig. 2 and Fig. 3 of Coarse-Grained Boltzmann Generators, arXiv 2602.10637. Colours: Okabe and
// Ito, Color Universal Design (2008); the surface's are "Blues" of Brewer's ColorBrewer 2.0.
package figure
