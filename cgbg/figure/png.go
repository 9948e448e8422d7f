package figure

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
)

// maxColors is what one byte per pixel can tell apart.
const maxColors = 256

// rareShare makes a colour rare when fewer than one pixel in so many has it.
const rareShare = 3000

// encodePNG writes img with at most 256 colours (its most frequent ones; a drawing has few but for the edges of its
// lines), and with its resolution, so that programs show it at its true size. It is about a third of the size of the
// plain file.
func encodePNG(img image.Image, dpi int) ([]byte, error) {
	b := img.Bounds()
	raw := map[uint32]int{}
	pixels := make([]uint32, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA() // the background is opaque
			v := r>>8<<16 | g>>8<<8 | bl>>8
			pixels = append(pixels, v)
			raw[v]++
		}
	}
	count := map[uint32]int{}
	for i, v := range pixels {
		if raw[v]*rareShare < len(pixels) { // the edges of lines: near-equal shades become equal
			v = coarse(v>>16)<<16 | coarse(v>>8&255)<<8 | coarse(v&255)
			pixels[i] = v
		}
		count[v]++
	}
	colors := make([]uint32, 0, len(count))
	for v := range count {
		colors = append(colors, v)
	}
	slices.SortFunc(colors, func(a, c uint32) int {
		if count[a] != count[c] {
			return count[c] - count[a]
		}
		return int(a) - int(c)
	})
	index := make(map[uint32]uint8, len(colors))
	var pal color.Palette
	for k, v := range colors {
		if k < maxColors {
			index[v] = uint8(k)
			pal = append(pal, color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255})
			continue
		}
		index[v] = nearest(colors[:maxColors], v)
	}
	out := image.NewPaletted(image.Rect(0, 0, b.Dx(), b.Dy()), pal)
	for i, v := range pixels {
		out.Pix[i] = index[v]
	}
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&buf, out); err != nil {
		return nil, err
	}
	return withResolution(buf.Bytes(), dpi), nil
}

// coarse rounds a channel of 8 bits to steps of 17, black and white exact.
func coarse(v uint32) uint32 { return (v + 8) / 17 * 17 }

func nearest(colors []uint32, v uint32) uint8 {
	best, at := math.MaxInt, 0
	for k, c := range colors {
		d := 0
		for shift := 0; shift < 24; shift += 8 {
			e := int(c>>shift&255) - int(v>>shift&255)
			d += e * e
		}
		if d < best {
			best, at = d, k
		}
	}
	return uint8(at)
}

// withResolution inserts the pHYs chunk after the header. Source: PNG (Third Edition), W3C 2025, §11.3.4.3.
func withResolution(data []byte, dpi int) []byte {
	const headerEnd = 8 + 4 + 4 + 13 + 4 // signature, then length, type, data and checksum of IHDR
	perMeter := uint32(math.Round(float64(dpi) / 0.0254))
	chunk := append([]byte("pHYs"), binary.BigEndian.AppendUint32(nil, perMeter)...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMeter)
	chunk = append(chunk, 1) // the unit is the metre
	full := binary.BigEndian.AppendUint32(nil, 9)
	full = append(full, chunk...)
	full = binary.BigEndian.AppendUint32(full, crc32.ChecksumIEEE(chunk))
	return slices.Concat(data[:headerEnd], full, data[headerEnd:])
}
