package alanine

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The table has every set that is shipped, and says of it what its README does.
func TestProvenance(t *testing.T) {
	p, err := ReadProvenance()
	if err != nil {
		t.Fatal(err)
	}
	const root = "../../data/ala2"
	var files, listed []string
	for _, pattern := range []string{"*.arrow", "explicit/*.arrow", "baseline/*.arrow", "obc2/*.arrow"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			name, _ := filepath.Rel(root, strings.TrimSuffix(f, ".arrow"))
			files = append(files, filepath.ToSlash(name))
		}
	}
	for _, o := range p.sets {
		listed = append(listed, o.file)
	}
	slices.Sort(files)
	slices.Sort(listed)
	if !slices.Equal(listed, files) {
		t.Errorf("sets: got %q, want the files %q", listed, files)
	}
	table := p.Table()
	rows := map[string][]any{}
	for _, row := range table.Rows {
		if len(row) != len(table.Head) {
			t.Fatalf("%v: %d cells for %d heads", row[0], len(row), len(table.Head))
		}
		rows[row[0].(string)] = row
	}
	cell := func(set, head string) any { return rows[set][slices.Index(table.Head, head)] }
	for _, c := range []struct {
		set, bias, water, constraints string
		ns                            float64 // READMEs of the sets
	}{
		{"explicit/awh9_a_dihedrals", "AWH, awh_gamma9_final.xvg", "TIP3P", "none", 4.0},
		{"explicit/awh9_b_dihedrals", "AWH, awh_gamma9_b_final.xvg", "TIP3P", "none", 3.2},
		{"explicit/awh1.5_core-beta", "AWH, awh_gamma1.5_final.xvg", "TIP3P", "none", 2.2},
		{"explicit/unbiased_heavy-atom", "none", "TIP3P", "none", 0.93},
		{"explicit/awh9_core-beta", "that of awh9_a_core-beta.arrow, awh9_b_core-beta.arrow", "TIP3P", "none", 7.2},
		{"explicit/awh9-resampled_core-beta", "undone, frames drawn by weight", "TIP3P", "none", math.NaN()},
		{"baseline/obc1_dihedrals", "none", "OBC1", "h-bonds", 61},
		{"baseline/obc2_dihedrals", "none", "OBC2", "h-bonds", 100},
		{"obc2/unbiased_all-atom", "none", "OBC2", "none", 100},
		{"obc2/metad9_heavy-atom", "metadynamics, bias.dat", "OBC2", "none", 22},
		{"obc2/metad1.5_dihedrals", "metadynamics, bias.dat", "OBC2", "none", 9},
	} {
		for head, want := range map[string]string{"bias": c.bias, "water": c.water, "constraints": c.constraints,
			"system": "Ac-Ala-NHMe", "force field": "amber99sb-ildn"} {
			if got := cell(c.set, head); got != want {
				t.Errorf("%s, %s: got %q, want %q", c.set, head, got, want)
			}
		}
		got := cell(c.set, "length, ns").(float64)
		if math.IsNaN(got) != math.IsNaN(c.ns) || math.Abs(got-c.ns) > 0.02*c.ns {
			t.Errorf("%s: got %g ns, want %g", c.set, got, c.ns)
		}
		if got := cell(c.set, "K"); got != 300.0 {
			t.Errorf("%s: got %v K", c.set, got)
		}
	}
	if got := cell("baseline/obc1_dihedrals", "made from"); got != "01.trr and 15 more" {
		t.Errorf("OBC1: made from %q", got)
	}
	if got, want := len(p.Results()), 2*len(files); got != want {
		t.Errorf("got %d results, want %d", got, want)
	}
}
