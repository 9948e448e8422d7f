package keep

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Fingerprint stands for inputs, in their order: the SHA-256 of their types and values, in hexadecimal digits. Inputs
// are values, structs, slices and maps of them; the address of a pointer says nothing, so hand over what is behind it.
func Fingerprint(inputs ...any) string {
	h := sha256.New()
	for _, v := range inputs {
		text := fmt.Sprintf("%T %+v", v, v)
		fmt.Fprintf(h, "%d:%s", len(text), text) // where one ends is not up to its text
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// entry is a file of this package.
type entry struct {
	Fingerprint string          `json:"fingerprint"`
	Value       json.RawMessage `json:"value"`
}

// JSON reads into value, a pointer, what the file at path keeps under the fingerprint. Where there is no such file, or
// one of another fingerprint or form, find makes the value, which is written to the file.
//
// Errors: those of find, as they are; of reading and writing, with the path; a value that JSON cannot hold, such as
// NaN.
func JSON(path, fingerprint string, value any, find func() error) error {
	_, err := Read(path, value, func(have string) bool { return have == fingerprint })
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := find(); err != nil {
		return err
	}
	return Write(path, fingerprint, value)
}

// Read reads into value what a file keeps, if its fingerprint is one that is wanted, and returns that.
// Errors: fs.ErrNotExist, wrapped, where there is no file, or one of another fingerprint or form; those of reading.
func Read(path string, value any, wanted func(fingerprint string) bool) (fingerprint string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("keep: %w", err)
	}
	var e entry
	if err := json.Unmarshal(text, &e); err != nil || !wanted(e.Fingerprint) || bytes.Equal(e.Value, []byte("null")) {
		return "", fmt.Errorf("keep: %s is of other inputs or damaged: %w", path, fs.ErrNotExist)
	}
	if err := json.Unmarshal(e.Value, value); err != nil {
		return "", fmt.Errorf("keep: %s: %w; remove the file to have it made anew", path, err)
	}
	return e.Fingerprint, nil
}

// Write keeps a value under a fingerprint, atomically.
func Write(path, fingerprint string, value any) error {
	raw, err := json.Marshal(value)
	var text []byte
	if err == nil {
		text, err = json.MarshalIndent(entry{fingerprint, raw}, "", "  ")
	}
	if err == nil {
		err = WriteFile(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep: %s: %w", path, err)
	}
	return nil
}
