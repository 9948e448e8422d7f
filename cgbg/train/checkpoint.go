package train

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/sbinet/npyio"
)

// state is what a loop knows beside the store's variables.
type state struct {
	History
	step       int
	sum        float64 // losses since the last record
	count      int
	best       float64
	bestParams map[string][]float32
}

func (s *state) lastRecord() int     { return last(s.Step) }
func (s *state) lastValidation() int { return last(s.ValidationStep) }

func last(steps []int) int {
	if len(steps) == 0 {
		return 0
	}
	return steps[len(steps)-1]
}

func (s *state) record() {
	if s.count == 0 {
		return
	}
	s.Step = append(s.Step, s.step)
	s.Loss = append(s.Loss, s.sum/float64(s.count))
	s.sum, s.count = 0, 0
}

// meta is the JSON part of a checkpoint. Infinity has no JSON form: best is
// left out until there is one.
type meta struct {
	Format      int
	Fingerprint string
	Step        int
	Sum         float64
	Count       int
	Best        *float64
	History     History
}

const (
	metaEntry  = "meta.json"
	varPrefix  = "var"
	bestPrefix = "best"
)

// save writes the checkpoint atomically: one NPZ file with all variables,
// readable with numpy; every entry carries a checksum (CRC-32 of zip).
func (l *loop) save() error {
	m := meta{Format: 1, Fingerprint: l.cfg.Fingerprint, Step: l.state.step, Sum: l.state.sum, Count: l.state.count,
		History: l.state.History}
	if !math.IsInf(l.state.best, 0) {
		m.Best = &l.state.best
	}
	head, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	if err := writeEntry(z, metaEntry, head); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	for v := range l.store.IterVariables() {
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("train: checkpoint: variable %s: %w", v.Path(), err)
		}
		if err := writeTensor(z, varPrefix+v.Path(), value); err != nil {
			return fmt.Errorf("train: checkpoint: variable %s: %w", v.Path(), err)
		}
	}
	for path, values := range l.state.bestParams {
		if err := writeTensor(z, bestPrefix+path, tensors.FromFlatDataAndDimensions(values, len(values))); err != nil {
			return fmt.Errorf("train: checkpoint: variable %s: %w", path, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	if err := keep.WriteFile(l.cfg.Checkpoint, buf.Bytes()); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", l.cfg.Checkpoint, err)
	}
	l.saved = time.Now()
	return nil
}

// firstDifference shortens two texts, which may be long, to what stands around the place where they differ.
func firstDifference(a, b string) (string, string) {
	const before, behind = 16, 24
	k := 0
	for k < min(len(a), len(b)) && a[k] == b[k] {
		k++
	}
	cut := func(s string) string {
		from, to := max(0, k-before), min(len(s), k+behind)
		out := strings.ToValidUTF8(s[from:to], "")
		if from > 0 {
			out = "…" + out
		}
		if to < len(s) {
			out += "…"
		}
		return out
	}
	return cut(a), cut(b)
}

// load restores the store and the state; os.ErrNotExist when there is no file.
func (l *loop) load() error {
	path := l.cfg.Checkpoint
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("train: checkpoint %s is damaged (%w): delete it to start over", path, err)
	}
	var m meta
	head, err := readEntry(z, metaEntry)
	if err == nil {
		err = json.Unmarshal(head, &m)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint %s is damaged (%w): delete it to start over", path, err)
	}
	if m.Format != 1 || m.Fingerprint != l.cfg.Fingerprint {
		was, now := firstDifference(m.Fingerprint, l.cfg.Fingerprint)
		return fmt.Errorf("train: checkpoint %s was made with other settings or data (%q, now %q): delete it to "+
			"start over, or choose another file", path, was, now)
	}
	l.state = state{History: m.History, step: m.Step, sum: m.Sum, count: m.Count, best: math.Inf(1)}
	if m.Best != nil {
		l.state.best = *m.Best
	}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		if err := l.restore(z, name); err != nil {
			return fmt.Errorf("train: checkpoint %s is damaged (entry %s: %w): delete it to start over", path, f.Name,
				err)
		}
	}
	return nil
}

// restore reads one array into the store or into the best parameters.
func (l *loop) restore(z *zip.Reader, name string) error {
	data, err := readEntry(z, name+".npy")
	if err != nil {
		return err
	}
	if path, ok := strings.CutPrefix(name, bestPrefix+"/"); ok {
		var values []float32
		if err := npyio.Read(bytes.NewReader(data), &values); err != nil {
			return err
		}
		if l.state.bestParams == nil {
			l.state.bestParams = map[string][]float32{}
		}
		l.state.bestParams["/"+path] = values
		return nil
	}
	path, ok := strings.CutPrefix(name, varPrefix)
	if !ok {
		return nil
	}
	value, err := readTensor(data)
	if err != nil {
		return err
	}
	if v := l.store.GetVariable(path); v != nil {
		if !v.Shape().Equal(value.Shape()) {
			return fmt.Errorf("shape %s where the model has %s", value.Shape(), v.Shape())
		}
		return v.SetValue(value)
	}
	v, err := l.store.CreateVariable(path, value)
	if err == nil {
		v.SetTrainable(strings.HasPrefix(path, netScope))
	}
	return err
}

func writeEntry(z *zip.Writer, name string, data []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func readEntry(z *zip.Reader, name string) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f) // checks the CRC at the end
}

// writeTensor writes one NPY array of format 1.0 (numpy.lib.format); npyio
// writes no arrays of more than one dimension from flat data.
func writeTensor(z *zip.Writer, name string, t *tensors.Tensor) error {
	descr, ok := map[string]string{"Float32": "<f4", "Float64": "<f8", "Int64": "<i8", "Uint64": "<u8",
		"Int32": "<i4"}[t.DType().String()]
	if !ok {
		return fmt.Errorf("no NPY form for %s", t.DType())
	}
	dims := ""
	for _, d := range t.Shape().Dimensions {
		dims += fmt.Sprintf("%d, ", d)
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr,
		strings.TrimSuffix(dims, " "))
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	data := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	data = append(data, head...)
	err := t.ConstBytes(func(raw []byte) { data = append(data, raw...) })
	if err != nil {
		return err
	}
	return writeEntry(z, name+".npy", data)
}

func readTensor(data []byte) (*tensors.Tensor, error) {
	r, err := npyio.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	dims := r.Header.Descr.Shape
	switch r.Header.Descr.Type {
	case "<f4":
		return readArray[float32](r, dims)
	case "<f8":
		return readArray[float64](r, dims)
	case "<i8":
		return readArray[int64](r, dims)
	case "<u8":
		return readArray[uint64](r, dims)
	case "<i4":
		return readArray[int32](r, dims)
	}
	return nil, fmt.Errorf("unknown number format %q", r.Header.Descr.Type)
}

func readArray[T float32 | float64 | int64 | uint64 | int32](r *npyio.Reader, dims []int) (*tensors.Tensor, error) {
	if len(dims) == 0 {
		var value T
		if err := r.Read(&value); err != nil {
			return nil, err
		}
		return tensors.FromScalar(value), nil
	}
	var values []T
	if err := r.Read(&values); err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(slices.Clip(values), dims...), nil
}
