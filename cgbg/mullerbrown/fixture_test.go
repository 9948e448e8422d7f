package mullerbrown

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/sbinet/npyio/npz"
)

// exactFixture is a file with x, U(x) = -ln ∫ exp(-u(x,y)) dy and F = -dU/dx. The one in testdata was computed with
// scipy's adaptive quadrature at relative 1e-12.
type exactFixture struct{ X, U, F []float64 }

var errMissingArray = errors.New("array is missing")

func readExact(path string) (fx exactFixture, err error) {
	f, err := npz.Open(path)
	if err != nil {
		return fx, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, a := range []struct {
		name string
		dst  *[]float64
	}{{"x", &fx.X}, {"U", &fx.U}, {"F", &fx.F}} {
		if f.Header(a.name+".npy") == nil && f.Header(a.name) == nil {
			return fx, fmt.Errorf("%s: %w: %q; it has %v", path, errMissingArray, a.name, f.Keys())
		}
		key := a.name
		if f.Header(key) == nil {
			key += ".npy"
		}
		if err := f.Read(key, a.dst); err != nil {
			return fx, fmt.Errorf("%s: array %q: %w", path, a.name, err)
		}
	}
	if n := len(fx.X); n == 0 || len(fx.U) != n || len(fx.F) != n {
		return fx, fmt.Errorf("%s: lengths of x, U, F: %d, %d, %d; must be equal and positive", path, n, len(fx.U),
			len(fx.F))
	}
	return fx, nil
}

// check compares with FreeEnergy and MeanForce to 1e-8.
func (fx exactFixture) check() error {
	const tol = 1e-8
	for i, x := range fx.X {
		c := At(x)
		if !(math.Abs(c.U-fx.U[i]) <= tol) {
			return fmt.Errorf("U(%g): got %.12f, want %.12f", x, c.U, fx.U[i])
		}
		if !(math.Abs(c.F-fx.F[i]) <= tol) {
			return fmt.Errorf("F(%g): got %.12f, want %.12f", x, c.F, fx.F[i])
		}
	}
	return nil
}

// TestFixtureExactMarginal checks every mueller_brown*.npz of testdata, or of the folder named by CGBG_FIXTURES.
func TestFixtureExactMarginal(t *testing.T) {
	dir := fixture.Dir()
	files, err := filepath.Glob(filepath.Join(dir, "mueller_brown*.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no mueller_brown*.npz in %s: it holds fixtures of other kinds only", dir)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			fx, err := readExact(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := fx.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The checker must see an error of 2e-8 in any element of U or F, and a missing array.
func TestFixtureCheckerSeesErrors(t *testing.T) {
	fx, err := readExact(filepath.Join("testdata", "mueller_brown_exact.npz"))
	if err != nil {
		t.Fatal(err)
	}
	n := len(fx.X)
	for _, i := range []int{0, n / 2, n - 1} {
		for name, a := range map[string][]float64{"U": fx.U, "F": fx.F} {
			for _, d := range []float64{2e-8, -2e-8, math.NaN()} {
				old := a[i]
				a[i] += d
				if fx.check() == nil {
					t.Errorf("%s[%d] changed by %g: not noticed", name, i, d)
				}
				a[i] = old
			}
		}
	}
	if err := fx.check(); err != nil {
		t.Errorf("restored arrays: %v", err)
	}

	path := filepath.Join(t.TempDir(), "mueller_brown_short.npz")
	if err := npz.Write(path, map[string]any{"x": fx.X, "U": fx.U}); err != nil {
		t.Fatal(err)
	}
	if _, err := readExact(path); !errors.Is(err, errMissingArray) || !strings.Contains(err.Error(), `"F"`) {
		t.Errorf("file without F: got %v, want an error that names F", err)
	}
}
