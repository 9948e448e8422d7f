package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	"github.com/cgbg-go/lab/cgbg/result"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Picture is one drawing in two formats.
type Picture struct {
	// PNG is for notebooks, at 300 dots per inch (160 where it is two columns wide) in at most 256 colours; SVG is for
	// print.
	PNG, SVG []byte
}

// Named is the picture as a result: name is that of its files, alt what it shows, for those who cannot see it.
func (p Picture) Named(name, alt string) result.Figure {
	return result.Figure{Name: name, Alt: alt, PNG: p.PNG, SVG: p.SVG}
}

// key is an entry above a panel: a stroke of the line, its band behind it, or a glyph in its place, and a name.
type key struct {
	name  string
	line  draw.LineStyle
	band  bool
	glyph *draw.GlyphStyle
}

// swatch is the room that the key's stroke or glyph takes.
func (k *key) swatch() vg.Length {
	if k.glyph != nil {
		return swatch / 2
	}
	return swatch
}

// remark is a line of text above a panel.
type remark struct {
	text string
	bad  bool
}

// panel is one pair of axes with what stands above them.
type panel struct {
	letter  string
	plot    *plot.Plot
	keys    []key
	remarks []remark
	bar     *colorBar
}

const (
	swatch, swatchGap, keyGap = 16.0, 3.0, 9.0
	barHeight                 = 6.0
	letterOffset              = 26.0 // of the panel's letter, left of the axis
)

// layout breaks the keys into rows of at most width.
func (p *panel) layout(width vg.Length) [][]key {
	var rows [][]key
	var x vg.Length
	sty := textStyle(keySize, false)
	for _, k := range p.keys {
		w := k.swatch() + swatchGap + sty.Width(k.name)
		if len(rows) == 0 || x+w > width {
			rows = append(rows, nil)
			x = 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], k)
		x += w + keyGap
	}
	return rows
}

// header returns the height needed above the axes.
func (p *panel) header(width vg.Length) vg.Length {
	n := len(p.layout(width)) + len(p.wrapped(width))
	if p.bar != nil {
		n += 2
	}
	if n == 0 && p.letter != "" {
		n = 1
	}
	return vg.Length(n)*rowHeight + margin
}

// wrapped returns the remarks broken into lines of at most width.
func (p *panel) wrapped(width vg.Length) []remark {
	sty := textStyle(keySize, false)
	var out []remark
	for _, r := range p.remarks {
		line := ""
		for _, word := range splitWords(r.text) {
			if line != "" && sty.Width(line+" "+word) > width {
				out = append(out, remark{line, r.bad})
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		if line != "" {
			out = append(out, remark{line, r.bad})
		}
	}
	return out
}

// drawHeader writes keys, colour bar and remarks above the axes, the lowest row next to them, and the letter at the top
// of height.
func (p *panel) drawHeader(c, data draw.Canvas, height vg.Length) {
	left, width := data.Min.X, data.Max.X-data.Min.X
	y := data.Max.Y + height - rowHeight
	if p.letter != "" {
		sty := textStyle(letterSize, true)
		sty.YAlign = draw.YCenter
		x := max(left-letterOffset, margin/2) // short labels of the axis leave less than the offset
		c.FillText(sty, vg.Point{X: x, Y: y + rowHeight/2}, p.letter)
	}
	y = data.Max.Y + p.header(width) - rowHeight
	sty := textStyle(keySize, false)
	sty.YAlign = draw.YCenter
	for _, row := range p.layout(width) {
		x := left
		for _, k := range row {
			mid := y + rowHeight/2
			if k.band {
				c.FillPolygon(shade(k.line.Color), box(x, mid-3, x+swatch, mid+3))
			}
			if k.glyph != nil {
				c.SetColor(k.glyph.Color)
				// c.DrawGlyph leaves out what is above the axes
				k.glyph.Shape.DrawGlyph(&c, *k.glyph, vg.Point{X: x + k.swatch()/2, Y: mid})
			} else {
				c.StrokeLine2(k.line, x, mid, x+swatch, mid)
			}
			x += k.swatch() + swatchGap
			c.FillText(sty, vg.Point{X: x, Y: mid}, k.name)
			x += sty.Width(k.name) + keyGap
		}
		y -= rowHeight
	}
	if p.bar != nil {
		p.bar.draw(c, left, y-rowHeight, width)
		y -= 2 * rowHeight
	}
	for _, r := range p.wrapped(width) {
		s := sty
		s.Color = grey
		if r.bad {
			s = textStyle(keySize, true)
			s.YAlign = draw.YCenter
			s.Color = color.NRGBA{R: 170, G: 60, A: 255} // darker vermilion: 6:1 on white
		}
		c.FillText(s, vg.Point{X: left, Y: y + rowHeight/2}, r.text)
		y -= rowHeight
	}
}

func box(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// render draws rows × cols panels, aligned, on a sheet of the given size in points.
func render(width, height vg.Length, panels [][]*panel) (Picture, error) {
	return sheet{panels: panels}.render(width, height)
}

// sheet is panels in rows and columns, aligned, and what they share.
type sheet struct {
	panels [][]*panel
	side   *colorBar // right of the last row; may be nil
	top    *panel    // keys and remarks of all panels, above them; may be nil
}

func (s sheet) render(width, height vg.Length) (Picture, error) {
	return export(width, height, s.paint)
}

func (s sheet) paint(c draw.Canvas) {
	c = draw.Crop(c, margin, -2*margin, margin, -margin)
	right := c.Max.X
	if s.side != nil {
		c = draw.Crop(c, 0, -sideBarSpace, 0, 0)
	}
	plots := make([][]*plot.Plot, len(s.panels))
	for i, row := range s.panels {
		for _, p := range row {
			plots[i] = append(plots[i], p.plot)
		}
	}
	tiles := draw.Tiles{Rows: len(s.panels), Cols: len(s.panels[0]), PadX: 14}
	var head vg.Length
	across := c                                       // from the left of the first axes to the right of the last
	for i, row := range plot.Align(plots, tiles, c) { // the width of the axes decides how high the headers are
		for j, at := range row {
			data := s.panels[i][j].plot.DataCanvas(at)
			head = max(head, s.panels[i][j].header(data.Max.X-data.Min.X))
			if i == 0 && j == 0 {
				across.Min.X = data.Min.X
			}
			across.Max.X = data.Max.X
		}
	}
	if s.top != nil {
		high := s.top.header(across.Max.X - across.Min.X)
		c = draw.Crop(c, 0, 0, 0, -high)
		across.Max.Y -= high
		s.top.drawHeader(across, across, high)
	}
	tiles.PadTop, tiles.PadY = head, head+6
	for i, row := range plot.Align(plots, tiles, c) {
		for j, at := range row {
			p := s.panels[i][j]
			p.plot.Draw(at)
			p.drawHeader(at, p.plot.DataCanvas(at), head)
			if s.side != nil && i == len(s.panels)-1 && j == len(row)-1 {
				s.side.drawUpright(c, p.plot.DataCanvas(at), right)
			}
		}
	}
}

// export runs paint on both kinds of canvas.
func export(width, height vg.Length, paint func(draw.Canvas)) (Picture, error) {
	dpi := columnDPI
	if width > columnWidth {
		dpi = fullDPI
	}
	raster := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	paint(draw.New(raster))
	png, err := encodePNG(raster.Image(), dpi)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: encoding PNG: %w", err)
	}
	vector := vgsvg.New(width, height)
	sheet := draw.New(vector)
	sheet.FillPolygon(color.White, box(0, 0, width, height)) // readable on dark pages too
	paint(sheet)
	var svg bytes.Buffer
	if _, err := vector.WriteTo(&svg); err != nil {
		return Picture{}, fmt.Errorf("figure: writing SVG: %w", err)
	}
	fix := strings.NewReplacer( // fall-back fonts; embedded images stretched to their box, and of their true type
		"<image ", `<image preserveAspectRatio="none" `,
		"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;",
		"data:image/jpg;", "data:image/png;")
	return Picture{PNG: png, SVG: []byte(fix.Replace(svg.String()))}, nil
}
