package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/hub"
)

// A set in the published layout comes from a server that behaves like the hub.
func TestPull(t *testing.T) {
	file, err := os.ReadFile("../../../data/npz/testdata/published.npz")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains([]string{"heavy_atom/pmf_ub/flow_ub/data.npz", "core_beta/pmf_b/flow_b/data.npz"},
			strings.TrimPrefix(r.URL.Path, "/datasets/bojuntum/CGPeptides/resolve/main/Ac-Ala-NHMe/explicit/")) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("X-Linked-Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(file)))
		w.Write(file)
	}))
	defer s.Close()
	dir := t.TempDir()
	t.Setenv("HF_ENDPOINT", s.URL)
	t.Setenv("CGBG_HUB_CACHE", filepath.Join(dir, "cache"))
	out := filepath.Join(dir, "a.arrow")
	if _, err := call(t, "pull", "-o", out, "ala2/heavy_atom/unbiased"); err != nil {
		t.Fatal(err)
	}
	r, err := data.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if m := r.Meta(); r.Len() != 8 || !slices.Equal(r.Columns(), []string{"R", "F", "u"}) || m.Beads[4] != "ALA2:CA" ||
		m.Species[3] != 3 || m.Temperature != 300 {
		t.Errorf("got %d frames, %v, %+v", r.Len(), r.Columns(), m)
	}
	if _, err := call(t, "pull", "-o", out, "ala2/core_beta/biased"); err == nil ||
		!strings.Contains(err.Error(), "10 beads") {
		t.Errorf("beads of another map: got %v", err)
	}
	if _, err := call(t, "pull", "-o", out, "ala3/heavy_atom/biased"); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("not there: got %v", err)
	}
	raw := filepath.Join(dir, "raw.npz")
	if _, err := call(t, "pull", "-o", raw, "Ac-Ala-NHMe/explicit/heavy_atom/pmf_ub/flow_ub/data.npz"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(raw); err != nil || string(got) != string(file) {
		t.Errorf("a file as it is: got %d bytes, %v", len(got), err)
	}
	for _, name := range []string{"ala4/heavy_atom/unbiased", "ala2", "ala2/heavy_atom", "ala2/all/unbiased", "MB",
		"../x.npz", "ala2//unbiased"} {
		if _, err := call(t, "pull", name); !errors.Is(err, errUsage) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// The published orders of beads have the dihedrals where the paper's code has them.
func TestPublishedBeads(t *testing.T) {
	for _, c := range []struct {
		name     string
		beads    []string
		n        int
		residue  int // of Backbone
		phi, psi [4]int
	}{
		{"ala2 HA", heavyBeads(1), 10, 0, [4]int{1, 3, 4, 6}, [4]int{3, 4, 6, 8}},
		{"ala2 CB", coreBeads(1), 6, 0, [4]int{0, 1, 2, 4}, [4]int{1, 2, 4, 5}},
		{"ala3 HA", heavyBeads(3), 20, 1, [4]int{6, 8, 9, 11}, [4]int{8, 9, 11, 13}},
		{"ala6 CB", coreBeads(6), 24, 2, [4]int{11, 12, 13, 15}, [4]int{12, 13, 15, 16}},
	} {
		residues, err := cgmap.Backbone(c.beads)
		if err != nil {
			t.Fatal(err)
		}
		if r := residues[c.residue]; len(c.beads) != c.n || r.Phi != c.phi || r.Psi != c.psi {
			t.Errorf("%s: %d beads, %s: phi %v, psi %v; want %d, %v, %v", c.name, len(c.beads), r.Name, r.Phi, r.Psi,
				c.n, c.phi,
				c.psi)
		}
	}
}
