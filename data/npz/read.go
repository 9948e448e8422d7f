package npz

import (
	"fmt"
	"os"
)

// ReadArray reads a .npy file, one array of numbers of up to maxRow/8 of them: its numbers in C's order, and its shape.
// Errors name the file.
func ReadArray(path string) (values []float64, shape []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("npz: %w", err)
	}
	defer f.Close()
	a := &array{key: "the array", in: f}
	fail := func(err error) ([]float64, []int, error) { return nil, nil, fmt.Errorf("npz: %s: %w", path, err) }
	if err := a.header(); err != nil {
		return fail(err)
	}
	if a.shape[0] > maxRow || a.width*a.shape[0] > maxRow/8 {
		return fail(fmt.Errorf("%w: shape %v: too many numbers", ErrFormat, a.shape))
	}
	var row []float64
	for range a.shape[0] {
		if row, err = a.row(row); err != nil {
			return fail(err)
		}
		values = append(values, row...)
	}
	if err := a.end(); err != nil {
		return fail(err)
	}
	return values, a.shape, nil
}
