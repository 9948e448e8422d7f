// Package flow learns normalising flows, draws samples from them, and gives
// their exact log-density: continuous flows by conditional flow matching, and
// splines of internal coordinates, exact in one pass, by maximum likelihood.
//
// A flow carries x(0) ~ N(0, I) to data x(1): a continuous one along
// dx/dt = v(t, x), with flow time t in [0, 1] (paper, Eqs. 4 to 8). It works in standardised units
// x = (R − mean)/std, kept with the model; [Samples].LogQ and [Model.LogQ] are
// densities of x, in nats, and [Model.LogDensity] is the density of R.
//
// The log-density never feeds back into x. So x is integrated alone, with
// dense output, and the divergence is integrated along the path by nested
// Clenshaw–Curtis quadrature, refined where the estimated error asks for it
// (likelihood.go). The joint solve of x and log q, as published, is kept as the
// reference (joint.go).
//
// A [Spline] (spline.go) does the same in one pass, with its log-density in
// closed form: couplings (coupling.go) of rational-quadratic splines
// (rationalquadratic.go) carry the noise to bonds, angles and torsions of a tree
// of beads, and these to positions (onepass.go). It is trained on frames (maximum.go),
// and further on a potential (refine.go), from which it draws its own data.
//
// # How to add a vector field
//
// A field is one file and one line. The file, named after the field, has
//
//   - the formula, as a type with the four methods of [Field]: Dim, Init (parameters by
//     train.AddParam and train.AddDense, drawn on the host), Velocity, Divergence. Written
//     with package forward, the last two are one function: of forward.Constant(x), or of
//     forward.Variable(x), whose Trace is the divergence;
//   - its description, a [Kind]: a name and a line about it for those who choose; the
//     sizes that it has, with their defaults and small ones; the training that belongs to it,
//     at length, in minutes and in seconds (the presets "paper", "quick" and "small"); the
//     constructor from frames; how it is told from others (isA);
//   - in the description its form in files, if models of it are to be kept: the name of an
//     array that no other kind has (a parameter's, "param/<name>"), and a function that
//     finds the sizes from the arrays' shapes. What shapes do not tell is written as an
//     array of its own. Forms of files that are there are never changed, only added to.
//
// The line puts the description into the table kinds (kind.go). Fit, Import and Export,
// settings, commands and their help then know the field by its name.
//
// What may be added: a batchVelocity with slices, for large batches in training
// (merged.go); a Divergence that shares work with the velocity (folded.go); accuracies
// of sampling that suit what the field costs (Kind.sampling, measured, not guessed).
//
// What is to be tested: the velocity against a plain float64 loop, the divergence against
// finite differences, the laws that it has (what turns with the molecule, what does not).
// Names, sizes and files are tested for every kind in the table (kind_test.go), which
// also adds a field in this way.
package flow
