package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Molecule is a drawing of a molecule, and which of its atoms are beads.
type Molecule struct {
	// Title stands above it.
	Title string
	// X and Y are the atoms' places on the sheet, [atoms], any unit; Element and Label what they are.
	X, Y    []float64
	Element []byte
	Label   []string // beside beads; may be nil
	// Bonds are pairs of atoms, from 0. Beads are drawn in colour, other atoms in grey.
	Bonds [][2]int
	Bead  []bool
}

// Molecules draws molecules side by side, up to four. Errors: none or more than four, lengths that differ.
func Molecules(molecules []Molecule) (Picture, error) {
	if len(molecules) == 0 || len(molecules) > 4 {
		return Picture{}, fmt.Errorf("figure: drawing %d molecules: one to four", len(molecules))
	}
	row := make([]*panel, len(molecules))
	for i, m := range molecules {
		n := len(m.X)
		if n == 0 || len(m.Y) != n || len(m.Element) != n || len(m.Bead) != n || m.Label != nil && len(m.Label) != n {
			return Picture{}, fmt.Errorf(
				"figure: drawing the molecule %q: X, Y, Element, Bead and Label have %d, %d, %d, %d and %d atoms",
				m.Title, n, len(m.Y), len(m.Element), len(m.Bead), len(m.Label))
		}
		p := plot.New()
		p.HideAxes()
		p.BackgroundColor = color.White
		p.Add(ballsAndSticks{m})
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = squareAround(m.X, m.Y)
		row[i] = &panel{plot: p, remarks: []remark{{text: m.Title}}}
	}
	return render(fullWide, fullWide*(0.8/vg.Length(len(molecules))+0.04), [][]*panel{row})
}

// squareAround bounds points with a margin and the same scale along both axes, for sheets wider than high.
func squareAround(x, y []float64) (x0, x1, y0, y1 float64) {
	x0, x1, y0, y1 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i := range x {
		x0, x1 = math.Min(x0, x[i]), math.Max(x1, x[i])
		y0, y1 = math.Min(y0, y[i]), math.Max(y1, y[i])
	}
	half := 0.58 * math.Max(x1-x0, (y1-y0)*1.35)
	cx, cy := (x0+x1)/2, (y0+y1)/2
	return cx - half, cx + half, cy - half/1.35, cy + half/1.35
}

// elementColors are those of Jmol, darkened where white paper needs it.
var elementColors = map[byte]color.NRGBA{
	'C': {90, 90, 90, 255}, 'O': {213, 60, 40, 255}, 'N': {48, 80, 200, 255}, 'H': {170, 170, 170, 255},
	'S': {200, 170, 30, 255},
}

// ballsAndSticks draws a molecule.
type ballsAndSticks struct{ m Molecule }

// Plot implements plot.Plotter.
func (b ballsAndSticks) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	at := func(i int) vg.Point { return vg.Point{X: tx(b.m.X[i]), Y: ty(b.m.Y[i])} }
	pale := color.NRGBA{205, 205, 205, 255}
	for _, bond := range b.m.Bonds {
		sty := draw.LineStyle{Color: pale, Width: vg.Points(1.2)}
		if b.m.Bead[bond[0]] && b.m.Bead[bond[1]] {
			sty = draw.LineStyle{Color: color.NRGBA{70, 70, 70, 255}, Width: vg.Points(2)}
		}
		from, to := at(bond[0]), at(bond[1])
		c.StrokeLine2(sty, from.X, from.Y, to.X, to.Y)
	}
	for _, bead := range []bool{false, true} { // beads on top
		for i := range b.m.X {
			if b.m.Bead[i] != bead {
				continue
			}
			radius, fill := vg.Points(2.2), pale
			if bead {
				radius, fill = vg.Points(4.6), elementColors[b.m.Element[i]]
				if b.m.Element[i] == 'H' {
					radius = vg.Points(3)
				}
			}
			c.DrawGlyph(draw.GlyphStyle{Color: fill, Radius: radius, Shape: draw.CircleGlyph{}}, at(i))
			if bead && b.m.Label != nil && b.m.Label[i] != "" {
				sty := textStyle(tickSize, false)
				sty.XAlign, sty.YAlign = draw.XCenter, draw.YCenter
				dx, dy := b.away(i)
				where := vg.Point{X: at(i).X + vg.Length(dx)*(radius+6), Y: at(i).Y + vg.Length(dy)*(radius+5)}
				c.FillText(sty, where, b.m.Label[i])
			}
		}
	}
}

// away is the direction from an atom away from its bonds.
func (b ballsAndSticks) away(i int) (x, y float64) {
	for _, bond := range b.m.Bonds {
		other := -1
		switch i {
		case bond[0]:
			other = bond[1]
		case bond[1]:
			other = bond[0]
		}
		if other < 0 {
			continue
		}
		dx, dy := b.m.X[other]-b.m.X[i], b.m.Y[other]-b.m.Y[i]
		if length := math.Hypot(dx, dy); length > 0 {
			weight := 0.3 // bonds to atoms that are drawn small
			if b.m.Bead[other] {
				weight = 1
			}
			x, y = x-weight*dx/length, y-weight*dy/length
		}
	}
	length := math.Hypot(x, y)
	if length < 1e-3 {
		return 0, 1
	}
	return x / length, y / length
}
