// Package models holds trained flows and potentials of mean force of alanine
// dipeptide with their cards, and weighted samples of the flows. README.md says
// how they were made.
//
// The names are TARGET_MAP_flow_KIND.npz, TARGET_MAP_pmf_KIND.npz (of the published architecture
// TARGET_MAP_mace_KIND.npz) and TARGET_MAP_samples_KIND.arrow, with target obc2 or explicit, map cb or ha, and kind
// unbiased or biased: the simulation that a model was trained on. TARGET_MAP_curve_MODEL.json are learning curves.
package models

import (
	"embed"
	"io/fs"
)

//go:embed *.npz *.json *.arrow
var files embed.FS

// FS has all the files.
func FS() fs.FS { return files }
