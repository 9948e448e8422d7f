package observable

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/sbinet/npyio/npz"
)

const fixtureTol = 1e-10

var fixtureKeys = []string{"phi", "psi", "logw", "ref_phi", "ref_psi", "js", "pmf_error"}

// TestFixtureMetrics compares with numbers made by numpy (see testdata/README.md).
func TestFixtureMetrics(t *testing.T) {
	for _, file := range fixtureFiles(t, fixture.Dir()) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if err := checkFixture(readFixture(t, file)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFixturePerturbed holds the checker to account: any array that changes is found.
func TestFixturePerturbed(t *testing.T) {
	for _, file := range fixtureFiles(t, "testdata") {
		for _, key := range fixtureKeys {
			a := readFixture(t, file)
			v := a[key]
			delta := 1e-9
			if len(v) > 1 { // angles move by several bins of 0.063, one weight grows by two thirds
				delta = 0.5
			}
			v[len(v)/2] += delta
			if checkFixture(a) == nil {
				t.Errorf("%s: %s perturbed by %g passes", filepath.Base(file), key, delta)
			}
		}
	}
}

func checkFixture(a map[string][]float64) error {
	w, err := reweight.Normalize(a["logw"])
	if err != nil {
		return err
	}
	model, reference := Torus{Phi: a["phi"], Psi: a["psi"], Weight: w}, Torus{Phi: a["ref_phi"], Psi: a["ref_psi"]}
	s, err := ScoreTorus(model, reference, Resampling{})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"js", s.JS.Value, a["js"][0]},
		{"pmf_error", s.PMFError.Value, a["pmf_error"][0]},
	} {
		if !(math.Abs(c.got-c.want) <= fixtureTol) {
			return fmt.Errorf("%s: got %.13g, want %.13g", c.name, c.got, c.want)
		}
	}
	return nil
}

// fixtureFiles returns the files of dir that hold these numbers: metrics*.npz, and any other npz with all the arrays.
func fixtureFiles(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.npz"))
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(f string) bool {
		return !strings.HasPrefix(filepath.Base(f), "metrics") && !hasKeys(f)
	})
	if len(all) == 0 {
		t.Skipf("no npz file with the arrays %v in %s", fixtureKeys, dir)
	}
	return all
}

func hasKeys(file string) bool {
	r, err := npz.Open(file)
	if err != nil {
		return false
	}
	defer r.Close()
	for _, key := range fixtureKeys {
		if !slices.ContainsFunc(r.Keys(), func(k string) bool { return strings.TrimSuffix(k, ".npy") == key }) {
			return false
		}
	}
	return true
}

func readFixture(t *testing.T, file string) map[string][]float64 {
	t.Helper()
	r, err := npz.Open(file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	defer r.Close()
	keys := r.Keys()
	out := map[string][]float64{}
	for _, key := range fixtureKeys {
		i := slices.IndexFunc(keys, func(k string) bool { return strings.TrimSuffix(k, ".npy") == key })
		if i < 0 {
			t.Fatalf("%s: no array %s among %v", file, key, keys)
		}
		var v []float64
		if len(r.Header(keys[i]).Descr.Shape) == 0 {
			v = make([]float64, 1)
			err = r.Read(keys[i], &v[0])
		} else {
			err = r.Read(keys[i], &v)
		}
		if err != nil {
			t.Fatalf("%s: %s: %v", file, key, err)
		}
		out[key] = v
	}
	return out
}
