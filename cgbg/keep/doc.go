// Package keep puts what a step makes on the disk, and takes it up again.
//
// [WriteFile] and [Create] are how every file of this module is written: under its name it appears whole or not at all.
//
// What a step found is kept beside a fingerprint of everything that it was made from ([JSON], [Fingerprint]), and is
// taken up only where the step would find the same. The inputs of a fingerprint are all that a result depends on:
// settings, seed, the content of data and of models (checksums, never names), and for times the machine, too. A file of
// other inputs is as good as none.
package keep
