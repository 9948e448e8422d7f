package trajectory

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/data/npz"
)

// readLogW reads log-weights that the user has: one a frame of the trajectories, or times and log-weights.
func (im *importer) readLogW(*finder) (func(*biasFrame) (float64, error), error) {
	rows, err := readNumbers(im.Weights.File("logw"))
	if err != nil {
		return nil, err
	}
	if len(rows[0]) == 2 {
		var time []float64
		for _, r := range rows {
			time = append(time, r[0])
		}
		s, err := newSeries(im.Weights.File("logw"), time)
		if err != nil {
			return nil, err
		}
		return func(f *biasFrame) (float64, error) {
			row, err := s.row0(f)
			if err != nil {
				return 0, err
			}
			return rows[row][1], nil
		}, nil
	}
	few := func(frames string) error {
		return fmt.Errorf("%s has %d log-weights, and the trajectories %s frames: give one for every frame of "+
			"them, in their order, those that -skip and -every leave out, too; or times (ps) and log-weights in "+
			"two columns",
			im.Weights.File("logw"), len(rows), frames)
	}
	im.ends["logw"] = func(frames int) error {
		if frames != len(rows) {
			return few(strconv.Itoa(frames))
		}
		return nil
	}
	return func(f *biasFrame) (float64, error) {
		if f.number >= len(rows) {
			return 0, few("more")
		}
		return rows[f.number][0], nil
	}, nil
}

// readNumbers reads one or two columns of finite numbers, from an array of NumPy or a text whose comments begin with #
// or @.
func readNumbers(path string) (rows [][]float64, err error) {
	if strings.EqualFold(filepath.Ext(path), ".npy") {
		v, shape, err := npz.ReadArray(path)
		if err != nil {
			return nil, err
		}
		width := 1
		if len(shape) == 2 {
			width = shape[1]
		}
		if len(shape) > 2 || width < 1 || width > 2 || len(v) == 0 {
			return nil, fmt.Errorf("%s: its shape is %v: [frames], or [frames, 2] of times and log-weights", path,
				shape)
		}
		for i := 0; i < len(v); i += width {
			rows = append(rows, v[i:i+width])
		}
		return rows, finite(path, rows)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	for n := 1; scanner.Scan(); n++ {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 || strings.ContainsAny(words[0][:1], "#@") {
			continue
		}
		var row []float64
		for _, word := range words {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: line %d: %.40q is not a number", path, n, word)
			}
			row = append(row, v)
		}
		if len(row) > 2 || len(rows) > 0 && len(row) != len(rows[0]) {
			return nil, fmt.Errorf("%s: line %d: %d columns: one of log-weights, or two of times (ps) and "+
				"log-weights", path, n, len(row))
		}
		rows = append(rows, row)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: there are no numbers", path)
	}
	return rows, finite(path, rows)
}

func finite(path string, rows [][]float64) error {
	for i, row := range rows {
		for _, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: row %d has %g: not finite", path, i+1, v)
			}
		}
	}
	return nil
}
