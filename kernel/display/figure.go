package display

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/png"
	"math"
	"path/filepath"
	"regexp"

	"github.com/cgbg-go/lab/cgbg/keep"
)

var figureName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// Figure shows a picture and saves it as figures/<name>.png and .svg below the run's folder.
//
// name: letters, digits, '.', '_' and '-'. alt: what the picture shows, in words, for readers who cannot see it; it
// goes where nbconvert and screen readers look for it, the image's metadata, is the plain-text form, and stands below
// the picture in a notebook. pngData,
// svgData: the picture; one of them may be nil. The notebook holds the PNG alone where there is one: front ends show it
// without trusting the notebook, which they do neither for SVG nor for an image inside HTML. A PNG that states its
// resolution is shown at 150 screen pixels to the inch, large enough to read 7-point letters.
func Figure(name, alt string, pngData, svgData []byte) error {
	if !figureName.MatchString(name) {
		return fmt.Errorf("display: figure %q: the name becomes a file name; use letters, digits, '.', '_' and '-'",
			name)
	}
	if alt == "" {
		return fmt.Errorf("display: figure %s: no alternative text; say in words what it shows", name)
	}
	if len(pngData) == 0 && len(svgData) == 0 {
		return fmt.Errorf("display: figure %s: neither a PNG nor an SVG", name)
	}
	c := content{plain: fmt.Sprintf("[figure %s: %s]", name, alt)}
	if len(pngData) > 0 {
		config, err := png.DecodeConfig(bytes.NewReader(pngData))
		if err != nil {
			return fmt.Errorf("display: figure %s: reading the PNG: %w", name, err)
		}
		about := map[string]any{"alt": alt}
		if perMeter := resolution(pngData); perMeter > 0 {
			about["width"] = int(math.Round(float64(config.Width) / (perMeter * 0.0254) * 150))
		}
		c.png, c.metadata = pngData, map[string]any{"image/png": about}
	}
	if len(svgData) > 0 && !bytes.Contains(svgData, []byte("<svg")) {
		return fmt.Errorf("display: figure %s: the SVG has no <svg> element", name)
	}
	if len(pngData) == 0 {
		c.svg, c.metadata = string(svgData), map[string]any{"image/svg+xml": map[string]any{"alt": alt}}
	}
	if dir := RunDir(); dir != "" {
		for ext, data := range map[string][]byte{".png": pngData, ".svg": svgData} {
			if len(data) == 0 {
				continue
			}
			path := filepath.Join(dir, "figures", name+ext)
			if err := keep.WriteFile(path, data); err != nil {
				return fmt.Errorf("display: saving figure %s: %w", path, err)
			}
		}
	}
	show(c)
	if InNotebook() {
		show(content{plain: alt, markdown: "*" + alt + "*"})
	}
	return nil
}

// resolution returns the pixels per meter that a PNG's pHYs chunk states, or 0.
// Source: PNG (Third Edition), W3C 2025, §5.3 (chunks) and §11.3.4.3.
func resolution(data []byte) float64 {
	for data = data[min(8, len(data)):]; len(data) >= 12; {
		n, kind := int64(binary.BigEndian.Uint32(data)), string(data[4:8])
		if n > int64(len(data)-12) || kind == "IDAT" {
			return 0
		}
		if kind == "pHYs" && n == 9 && data[16] == 1 {
			return float64(binary.BigEndian.Uint32(data[8:]))
		}
		data = data[12+n:]
	}
	return 0
}
