// Package keep puts what a step makes on the disk, and takes it up again.
//
// [WriteFile] and [Create] are how this module writes what is read later: under its name a file appears whole or not at
// all. Written otherwise are logs, what is private to one process and goes with it, and what other programs make or a
// download brings, which gets its name by a rename once it is whole.
//
// What a step found is kept beside a fingerprint of everything that it was made from ([JSON], [Fingerprint]), and is
// taken up only where the step would find the same. The inputs of a fingerprint are all that a result depends on:
// settings, seed, the content of data and of models (checksums, never names), and for times the machine, too. A file of
// other inputs is as good as none.
package keep
