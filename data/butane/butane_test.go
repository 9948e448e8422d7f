package butane

import (
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

func load(t *testing.T) (*data.Frames, data.Meta) {
	t.Helper()
	f, m, err := Unbiased()
	if err != nil {
		t.Fatal(err)
	}
	return f, m
}

// edges of a frame, from each atom to the next.
func edges(frame []float32) (b [3][3]float64) {
	for i := range b {
		for k := range 3 {
			b[i][k] = float64(frame[3*i+3+k]) - float64(frame[3*i+k])
		}
	}
	return b
}

// The files are those of README.md, and the set has the shape that its comment gives.
func TestSet(t *testing.T) {
	f, m := load(t)
	if f.Len() != 10000 || f.Beads != 4 || f.Dim != 3 || len(f.F) != len(f.R) || f.LogW != nil {
		t.Errorf("got %d frames of %d beads, %d forces, weights %v", f.Len(), f.Beads, len(f.F), f.LogW != nil)
	}
	if strings.Join(m.Beads, " ") != "C1 C2 C3 C4" || m.Temperature != 300 || math.Abs(m.Stride-20) > 1e-3 {
		t.Errorf("got %+v", m)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"butane.map", "butane.pdb", "trappe.xml", "unbiased.arrow", "unbiased.trr"} {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := fmt.Sprintf("| %s | `%x` |", name, sha256.Sum256(file)); !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the line\n%s", line)
		}
	}
}

// The trajectory as OpenMM left it has, in every second frame, the set's positions and forces, bit for bit.
func TestTrajectory(t *testing.T) {
	f, _ := load(t)
	trr, err := gromacs.OpenTRR("unbiased.trr")
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	n := 0
	var frame gromacs.Frame
	for ; ; n++ {
		if err := trr.Next(&frame); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if math.Abs(frame.Time-10*float64(n+1)) > 1e-2 {
			t.Fatalf("frame %d is of %g ps", n, frame.Time)
		}
		for k := range frame.R {
			if i := n/2*12 + k; n%2 == 0 && (frame.R[k] != f.R[i] || frame.F[k] != f.F[i]) {
				t.Fatalf("frame %d: R, F = %g, %g; in the set %g, %g", n, frame.R[k], frame.F[k], f.R[i], f.F[i])
			}
		}
	}
	if n != 2000 {
		t.Errorf("got %d frames, want 2000", n)
	}
}

// The constants in Go are those that OpenMM was given.
func TestParameters(t *testing.T) {
	text, err := os.ReadFile("trappe.xml")
	if err != nil {
		t.Fatal(err)
	}
	var field struct {
		Bonds []struct {
			Length float64 `xml:"length,attr"`
			K      float64 `xml:"k,attr"`
		} `xml:"HarmonicBondForce>Bond"`
		Angles []struct {
			Angle float64 `xml:"angle,attr"`
			K     float64 `xml:"k,attr"`
		} `xml:"HarmonicAngleForce>Angle"`
		Torsions []struct {
			N1     int     `xml:"periodicity1,attr"`
			N2     int     `xml:"periodicity2,attr"`
			N3     int     `xml:"periodicity3,attr"`
			Phase1 float64 `xml:"phase1,attr"`
			Phase2 float64 `xml:"phase2,attr"`
			Phase3 float64 `xml:"phase3,attr"`
			K1     float64 `xml:"k1,attr"`
			K2     float64 `xml:"k2,attr"`
			K3     float64 `xml:"k3,attr"`
		} `xml:"PeriodicTorsionForce>Proper"`
	}
	if err := xml.Unmarshal(text, &field); err != nil {
		t.Fatal(err)
	}
	if len(field.Bonds) != 2 || len(field.Angles) != 1 || len(field.Torsions) != 1 {
		t.Fatalf("got %+v", field)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-8*math.Abs(want) {
			t.Errorf("%s: %.9g in trappe.xml, %.9g in Go", what, got, want)
		}
	}
	for _, b := range field.Bonds {
		near("bond", b.Length, bondLength)
		near("bond's spring", b.K, bondSpring)
	}
	near("angle", field.Angles[0].Angle, bend)
	near("angle's spring", field.Angles[0].K, bendSpring)
	p := field.Torsions[0]
	if p.N1 != 1 || p.N2 != 2 || p.N3 != 3 {
		t.Errorf("periodicities %d, %d, %d", p.N1, p.N2, p.N3)
	}
	for phi := -3.0; phi < 3; phi += 0.25 { // OpenMM: k (1 + cos(nφ − φ₀))
		u := p.K1*(1+math.Cos(phi-p.Phase1)) + p.K2*(1+math.Cos(2*phi-p.Phase2)) + p.K3*(1+math.Cos(3*phi-p.Phase3))
		near(fmt.Sprintf("torsion at %g", phi), u, TorsionEnergy(phi))
	}
}

// F = −∂U/∂R. Positions in float32 are known to 1.5e-8 nm, of which the bonds' spring makes 0.01 kJ/mol/nm at most.
func TestForces(t *testing.T) {
	f, _ := load(t)
	const h = 1e-6 // nm
	r := make([]float64, 12)
	for n := 0; n < f.Len(); n += 50 {
		for k := range r {
			r[k] = float64(f.R[12*n+k])
		}
		for k, x := range r {
			r[k] = x + h
			up := Energy(r)
			r[k] = x - h
			down := Energy(r)
			r[k] = x
			if got, want := float64(f.F[12*n+k]), (down-up)/(2*h); math.Abs(got-want) > 0.05 {
				t.Fatalf("frame %d, F[%d]: got %g, want %g kJ/mol/nm", n, k, got, want)
			}
		}
	}
}

// law is the mean of g under the density exp(−U/kT)·volume on [a, b], by the midpoint rule.
func law(a, b float64, u, volume, g func(x float64) float64) float64 {
	const points = 1 << 16
	kT := units.KT(300)
	var sum, norm float64
	for i := range points {
		x := a + (b-a)*(float64(i)+0.5)/points
		w := math.Exp(-u(x)/kT) * volume(x)
		sum += w * g(x)
		norm += w
	}
	return sum / norm
}

// blockMean is the mean of values and its standard error, from 50 blocks in a row.
func blockMean(values []float64) (mean, err float64) {
	const blocks = 50
	size := len(values) / blocks
	var square float64
	for b := range blocks {
		var m float64
		for _, v := range values[b*size : (b+1)*size] {
			m += v / float64(size)
		}
		mean += m / blocks
		square += m * m / blocks
	}
	return mean, math.Sqrt((square - mean*mean) / (blocks - 1))
}

// Bonds, angles and the torsion are distributed as the energy says: r² dr, sin θ dθ, dφ are the volumes.
func TestDistributions(t *testing.T) {
	f, _ := load(t)
	check := func(what string, of func(b [3][3]float64) float64, want float64) {
		t.Helper()
		values := make([]float64, f.Len())
		for n := range values {
			values[n] = of(edges(f.R[12*n : 12*n+12]))
		}
		if got, err := blockMean(values); !(math.Abs(got-want) < 5*err) {
			t.Errorf("%s: got %.5f ± %.5f, want %.5f", what, got, err, want)
		}
	}
	one := func(float64) float64 { return 1 }
	const bins = 24
	for i := range bins {
		low := -math.Pi + 2*math.Pi*float64(i)/bins
		in := func(phi float64) float64 {
			if phi >= low && phi < low+2*math.Pi/bins {
				return 1
			}
			return 0
		}
		want := law(-math.Pi, math.Pi, TorsionEnergy, one, in)
		if want*float64(f.Len()) < 50 { // so few have no normal error
			continue
		}
		what := fmt.Sprintf("torsion from %.0f°", low*180/math.Pi)
		check(what, func(b [3][3]float64) float64 { return in(torsion(b)) }, want)
	}
	trans := func(phi float64) float64 {
		if math.Abs(phi) > 2*math.Pi/3 {
			return 1
		}
		return 0
	}
	check("trans", func(b [3][3]float64) float64 { return trans(torsion(b)) },
		law(-math.Pi, math.Pi, TorsionEnergy, one, trans))
	angle := func(x float64) float64 { return bendSpring / 2 * (x - bend) * (x - bend) }
	check("cos of the angle", func(b [3][3]float64) float64 { return -dot(b[0], b[1]) / (norm(b[0]) * norm(b[1])) },
		law(0, math.Pi, angle, math.Sin, math.Cos))
	bond := func(x float64) float64 { return bondSpring / 2 * (x - bondLength) * (x - bondLength) }
	length, square := func(x float64) float64 { return x }, func(x float64) float64 { return x * x }
	check("bond", func(b [3][3]float64) float64 { return norm(b[1]) }, law(0.1, 0.2, bond, square, length))
	check("bond's square", func(b [3][3]float64) float64 { return dot(b[2], b[2]) },
		law(0.1, 0.2, bond, square, square))
	check("energy of the angle", func(b [3][3]float64) float64 {
		return angle(math.Acos(-dot(b[1], b[2]) / (norm(b[1]) * norm(b[2]))))
	}, law(0, math.Pi, angle, math.Sin, angle))
}

func ExampleUnbiased() {
	frames, meta, err := Unbiased()
	fmt.Println(frames.Len(), meta.Beads, err)
	// Output: 10000 [C1 C2 C3 C4] <nil>
}

// Trans is 0; gauche, near 60°, lies above it.
func ExampleTorsionEnergy() {
	fmt.Printf("%.2f %.2f kJ/mol\n", TorsionEnergy(3.14159265), TorsionEnergy(3.14159265/3))
	// Output: 0.00 3.58 kJ/mol
}
