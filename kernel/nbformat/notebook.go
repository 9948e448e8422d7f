// Package nbformat reads and writes Jupyter notebooks of format 4.
//
// Whatever it does not know (metadata, attachments, ids, fields of later minor
// versions) passes through unchanged. What it writes follows the habits of
// Jupyter's own writer: sorted keys, an indent of one space, and multi-line
// strings as lists of lines, so that a diff shows what changed.
//
// Source: https://nbformat.readthedocs.io/en/latest/format_description.html
package nbformat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/keep"
)

// Errors that callers may branch on.
var (
	// ErrNotJSON: the file is not a JSON object.
	ErrNotJSON = errors.New("not JSON")
	// ErrFormat: the file is JSON, but not a notebook of format 4.
	ErrFormat = errors.New("not a notebook of nbformat 4")
	// ErrLanguage: the notebook is for another language than Go.
	ErrLanguage = errors.New("not a Go notebook")
)

// Types of cells.
const (
	Code     = "code"
	Markdown = "markdown"
	raw      = "raw"
)

// Notebook is a notebook of format 4.
type Notebook struct {
	Cells    []*Cell
	Metadata map[string]any
	Minor    int // minor version of the format; cells have ids from 5 on

	extra map[string]any // fields that this package does not know
}

// Cell is one cell of a notebook.
type Cell struct {
	ID             string // empty where the format has none
	Type           string // Code, Markdown or Raw
	Source         string
	Metadata       map[string]any
	Outputs        []Output // code cells only
	ExecutionCount int      // 0: not executed

	extra map[string]any
}

// Tagged reports whether the cell's metadata carries the tag.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// ReadFile reads the notebook in the named file.
//
// Errors: the file is missing or unreadable (fs.ErrNotExist, …), ErrNotJSON,
// ErrFormat. Each names the file and the cure.
func ReadFile(name string) (*Notebook, error) {
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("nbformat: there is no notebook %s: %w; check the path, it is relative to the "+
			"working directory", name, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("nbformat: reading notebook: %w", err)
	}
	nb, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("nbformat: %s is %w", name, err)
	}
	return nb, nil
}

// Parse decodes a notebook. Errors: ErrNotJSON, ErrFormat.
func Parse(data []byte) (*Notebook, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // numbers in metadata come back as they were written
	var top map[string]any
	err := dec.Decode(&top)
	if err == nil {
		if _, e := dec.Token(); e != io.EOF {
			err = fmt.Errorf("something follows the notebook at byte %d", dec.InputOffset())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%v); it may be damaged: open it in Jupyter, or take it from the repository again",
			ErrNotJSON, err)
	}
	major, ok := intField(top, "nbformat")
	if !ok {
		return nil, fmt.Errorf("%w: it has no field \"nbformat\"", ErrFormat)
	}
	if major != 4 {
		return nil, fmt.Errorf("%w: it is of nbformat %d; convert it with `jupyter nbconvert --to notebook "+
			"--nbformat 4`", ErrFormat, major)
	}
	nb := &Notebook{extra: top}
	nb.Minor, _ = intField(top, "nbformat_minor")
	if nb.Metadata, err = object(top, "metadata"); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	cells, ok := top["cells"].([]any)
	if !ok {
		return nil, fmt.Errorf("%w: it has no list \"cells\"", ErrFormat)
	}
	for i, raw := range cells {
		c, err := parseCell(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: cell %d: %v", ErrFormat, i+1, err)
		}
		nb.Cells = append(nb.Cells, c)
	}
	for _, known := range []string{"nbformat", "nbformat_minor", "metadata", "cells"} {
		delete(top, known)
	}
	return nb, nil
}

func parseCell(raw any) (*Cell, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	c := &Cell{extra: m}
	c.Type, _ = m["cell_type"].(string)
	if c.Type != Code && c.Type != Markdown && c.Type != raw {
		return nil, fmt.Errorf("unknown cell_type %q", c.Type)
	}
	if c.Source, ok = joinLines(m["source"]); !ok {
		return nil, errors.New("source is neither a string nor a list of strings")
	}
	if c.ID, ok = m["id"].(string); !ok && m["id"] != nil {
		return nil, errors.New("id is not a string")
	}
	var err error
	if c.Metadata, err = object(m, "metadata"); err != nil {
		return nil, err
	}
	if c.Type == Code {
		c.ExecutionCount, _ = intField(m, "execution_count")
		list, ok := m["outputs"].([]any)
		if !ok && m["outputs"] != nil {
			return nil, errors.New("outputs is not a list")
		}
		for i, o := range list {
			out, ok := o.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("output %d is not an object", i+1)
			}
			c.Outputs = append(c.Outputs, readOutput(out))
		}
		delete(m, "outputs")
		delete(m, "execution_count")
	}
	for _, known := range []string{"cell_type", "source", "id", "metadata"} {
		delete(m, known)
	}
	return c, nil
}

// language returns the language that the metadata name, in lower case: that of
// the kernelspec, or of language_info; empty where neither does.
func (nb *Notebook) language() string {
	for _, at := range [][2]string{{"kernelspec", "language"}, {"language_info", "name"}} {
		m, _ := nb.Metadata[at[0]].(map[string]any)
		if s, _ := m[at[1]].(string); s != "" {
			return strings.ToLower(s)
		}
	}
	return ""
}

// CheckGo returns an ErrLanguage unless the metadata say that the notebook is in Go.
func (nb *Notebook) CheckGo() error {
	switch lang := nb.language(); lang {
	case "go":
		return nil
	case "":
		return fmt.Errorf("%w: its metadata name no language; open it with the Go kernel, or set "+
			"metadata.kernelspec.language to \"go\"", ErrLanguage)
	default:
		return fmt.Errorf("%w: its language is %q; only Go notebooks run on this kernel", ErrLanguage, lang)
	}
}

// Bytes encodes the notebook.
func (nb *Notebook) Bytes() ([]byte, error) {
	top := map[string]any{}
	for k, v := range nb.extra {
		top[k] = v
	}
	cells := make([]any, len(nb.Cells))
	for i, c := range nb.Cells {
		cells[i] = c.encode(nb.Minor)
	}
	top["cells"] = cells
	top["metadata"] = nonNil(nb.Metadata)
	top["nbformat"] = 4
	top["nbformat_minor"] = nb.Minor
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(top); err != nil {
		return nil, fmt.Errorf("nbformat: encoding notebook: %w", err)
	}
	return unescapeSeparators(buf.Bytes()), nil
}

// unescapeSeparators writes U+2028 and U+2029, which encoding/json escapes for
// the sake of old JavaScript, as Jupyter does.
func unescapeSeparators(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u202`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		n := 1
		switch {
		case bytes.HasPrefix(text, []byte(`\u2028`)):
			out, text = append(out, "\u2028"...), text[6:]
			continue
		case bytes.HasPrefix(text, []byte(`\u2029`)):
			out, text = append(out, "\u2029"...), text[6:]
			continue
		case text[0] == '\\':
			n = 2 // with what it escapes, which may be a backslash
		}
		out, text = append(out, text[:n]...), text[n:]
	}
	return out
}

func (c *Cell) encode(minor int) map[string]any {
	m := map[string]any{}
	for k, v := range c.extra {
		m[k] = v
	}
	m["cell_type"] = c.Type
	m["metadata"] = nonNil(c.Metadata)
	m["source"] = splitLines(c.Source)
	if c.ID != "" && minor >= 5 {
		m["id"] = c.ID
	}
	if c.Type == Code {
		m["execution_count"] = nil
		if c.ExecutionCount > 0 {
			m["execution_count"] = c.ExecutionCount
		}
		outs := make([]any, len(c.Outputs))
		for i, o := range c.Outputs {
			outs[i] = o.encode()
		}
		m["outputs"] = outs
	}
	return m
}

// WriteFile writes the notebook to the named file, whole or not at all. A file
// that is there keeps its permissions, and a symbolic link keeps pointing to it.
func (nb *Notebook) WriteFile(name string) error {
	data, err := nb.Bytes()
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
		if info, err := os.Stat(name); err == nil {
			mode = info.Mode().Perm()
		}
	}
	file, err := keep.Create(name, mode)
	if err != nil {
		return fmt.Errorf("nbformat: writing notebook: %w", err)
	}
	defer file.Cleanup()
	if _, err = file.Write(data); err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("nbformat: writing notebook %s: %w", name, err)
	}
	return nil
}

func nonNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// object returns the object in a field; an empty one where there is none.
func object(m map[string]any, key string) (map[string]any, error) {
	v, ok := m[key].(map[string]any)
	if !ok && m[key] != nil {
		return nil, fmt.Errorf("%s is not an object", key)
	}
	return nonNil(v), nil
}

func intField(m map[string]any, key string) (int, bool) {
	n, ok := m[key].(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return int(i), err == nil
}
