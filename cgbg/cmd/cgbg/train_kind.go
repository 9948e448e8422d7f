package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/pmf"
)

// network is a vector field or a potential that can be trained: of beads, with files.
type network struct {
	name, about string
	widthAlone  bool
}

func fieldKinds() (out []network) {
	for _, k := range flow.Fields() {
		if k.Molecule && k.Kept() {
			out = append(out, network{k.Name, k.About, k.WidthAlone})
		}
	}
	return out
}

func potentialKinds() (out []network) {
	for _, k := range pmf.Potentials() {
		if k.Molecule && k.Kept() {
			out = append(out, network{k.Name, k.About, k.WidthAlone})
		}
	}
	return out
}

// about has a line for each network.
func about(networks []network) string {
	var b strings.Builder
	for _, n := range networks {
		fmt.Fprintf(&b, "  %-18s %s\n", n.name, n.about)
	}
	return b.String()
}

// names lists those of networks.
func names(networks []network) string {
	var out []string
	for _, n := range networks {
		out = append(out, n.name)
	}
	return strings.Join(out, ", ")
}

// widened are the names of networks that a width can be given of.
func widened(networks ...[]network) string {
	return names(slices.DeleteFunc(slices.Concat(networks...), func(n network) bool { return !n.widthAlone }))
}
