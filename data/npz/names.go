package npz

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// keyBeads is the array of the beads' names, as the writer makes it.
const keyBeads = "beads"

var strDescr = regexp.MustCompile(`'descr'\s*:\s*'([<>])U(\d+)'`)

// maxName bounds the letters of a name.
const maxName = 1024

// readNames reads an array of so many strings, UTF-32 and padded with zeros. What is none, another program's array of
// that key, has no names.
func readNames(file *zip.File, want int) ([]string, error) {
	in, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer in.Close()
	text, err := head(in)
	if err != nil {
		return nil, err
	}
	d, size := strDescr.FindSubmatch(text), shape.FindSubmatch(text)
	if d == nil || size == nil || strings.Trim(string(size[1]), " ,") != strconv.Itoa(want) {
		return nil, nil
	}
	width, err := strconv.Atoi(string(d[2]))
	if err != nil || width > maxName {
		return nil, fmt.Errorf("%w: names of %s letters", ErrFormat, d[2])
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(d[1]) == ">" {
		order = binary.BigEndian
	}
	var names []string
	p := make([]byte, 4*width)
	for range want {
		if _, err := io.ReadFull(in, p); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
		}
		var name strings.Builder
		for k := 0; k < len(p) && order.Uint32(p[k:]) != 0; k += 4 {
			name.WriteRune(rune(order.Uint32(p[k:])))
		}
		names = append(names, name.String())
	}
	return names, nil
}

// Names are those of the beads; nil where the file has none.
func (r *Reader) Names() []string { return r.names }

// Note names arrays that are not read, with a number for each frame or more; "" if all are.
func (r *Reader) Note() string {
	if len(r.unread) == 0 {
		return ""
	}
	return fmt.Sprintf("what else it has is not read: %s (\"cgbg import -h\" lists the arrays that are)",
		strings.Join(r.unread, ", "))
}
