package reweight

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/sbinet/npyio/npz"
)

// Tolerances: those of the conventions, 1e-10, and 1e-6 for ArviZ 0.23.4, whose sums run in another order.
const fixtureTol, psisTol = 1e-10, 1e-6

var fixtureKeys = []string{"logw", "ess", "ess_clipped", "psis_khat", "psis_logw"}

// TestFixtureMetrics compares with numbers made by numpy and ArviZ 0.23.4 (see testdata/README.md).
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
			delta := 2e-5 // seen through the worst tolerance, 1e-6, also where only one of thousands of values moves
			if key == "logw" {
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
	logw := a["logw"]
	ess, err := ESS(logw)
	if err != nil {
		return err
	}
	clipped, err := Clip(logw, PaperClip)
	if err != nil {
		return err
	}
	essClipped, err := ESS(clipped)
	if err != nil {
		return err
	}
	p, err := Smooth(logw)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name      string
		got, want []float64
		tol       float64
	}{
		{"ess", []float64{ess}, a["ess"], fixtureTol},
		{"ess_clipped", []float64{essClipped}, a["ess_clipped"], fixtureTol},
		{"psis_khat", []float64{p.KHat}, a["psis_khat"], psisTol},
		{"psis_logw", p.LogW, a["psis_logw"], psisTol},
	} {
		if len(c.got) != len(c.want) {
			return fmt.Errorf("%s: got %d values, want %d", c.name, len(c.got), len(c.want))
		}
		for i, got := range c.got {
			if want := c.want[i]; got != want && !(math.Abs(got-want) <= c.tol) {
				return fmt.Errorf("%s[%d]: got %.12g, want %.12g", c.name, i, got, want)
			}
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
