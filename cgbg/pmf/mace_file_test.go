package pmf

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestMACEFiles: what is written is read again as the same function, in the
// gauge of its origin; files that do not fit are errors with the array's name.
func TestMACEFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mace.npz")
	for name, p := range small {
		m, _ := lively(t, p)
		if err := Export(path, m); err != nil {
			t.Fatal(err)
		}
		again, err := ImportMACE(goBackend(), path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := m.Energy(context.Background(), conformations(2))
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Energy(context.Background(), conformations(2))
		if err != nil {
			t.Fatal(err)
		}
		if d := worst(t, got, want); !(d <= 1e-10*(1+rms(want))) {
			t.Errorf("%s: energies change by %.2g in a file", name, d)
		}
	}
	imported, err := ImportMACE(goBackend(), "testdata/mace_cb.npz")
	if err != nil {
		t.Fatal(err)
	}
	if err := Export(path, imported); err != nil {
		t.Fatal(err)
	}
	ours, err := train.ReadArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := train.ReadArrays("testdata/mace_cb.npz")
	if err != nil {
		t.Fatal(err)
	}
	for name := range theirs {
		if strings.HasPrefix(name, "table/") || strings.HasPrefix(name, "param/") || name == "species" {
			if ours[name] == nil {
				t.Errorf("no array %q in the export", name)
			} else if d := worst(t, numbers(ours[name]), numbers(theirs[name])); !(d <= 1e-10) {
				t.Errorf("array %q is off by %.2g", name, d)
			}
		}
	}
	for name, change := range map[string]func(map[string]*tensors.Tensor){
		"param/1/w2_l0": func(a map[string]*tensors.Tensor) { delete(a, "param/1/w2_l0") },
		"species":       func(a map[string]*tensors.Tensor) { delete(a, "species") },
		"const/silu":    func(a map[string]*tensors.Tensor) { a["const/silu"] = tensors.FromScalar(0.5964587) },
		"table/U2_l1": func(a map[string]*tensors.Tensor) {
			v := numbers(a["table/U2_l1"])
			v[1]++
			a["table/U2_l1"] = tensors.FromFlatDataAndDimensions(v, 16, 16, 3, 3)
		},
		"prior/bonds": func(a map[string]*tensors.Tensor) {
			a["prior/bonds"] = tensors.FromFlatDataAndDimensions([]float64{0, 1, 0.15}, 1, 3)
		},
	} {
		broken := map[string]*tensors.Tensor{}
		for k, v := range theirs {
			if !strings.HasPrefix(k, "frame0") {
				broken[k] = v
			}
		}
		change(broken)
		if err := train.WriteArrays(path, broken); err != nil {
			t.Fatal(err)
		}
		if _, err := ImportMACE(goBackend(), path); !errors.Is(err, ErrMACE) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want ErrMACE with the array's name", name, err)
		}
	}
}
