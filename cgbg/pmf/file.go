package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// ktArray is kT of an [Invariant], in the unit of its energy.
const ktArray = "const/kt"

// Export writes a MACE potential or an [Invariant] as an NPZ file, atomically.
// Errors: a potential of another kind; those of the file.
func Export(path string, m *Model) error {
	p, ok := m.Potential.(Invariant)
	if !ok {
		return ExportMACE(path, m)
	}
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		return fmt.Errorf("pmf: %s: %w", path, err)
	}
	arrays[ktArray] = tensors.FromScalar(p.KT)
	if err := train.WriteArrays(path, arrays); err != nil {
		return fmt.Errorf("pmf: %w", err)
	}
	return nil
}

// Import reads what Export wrote, with the sizes that its arrays have, and what
// ImportMACE reads. Errors: no such file; arrays that are missing or do not fit, by name.
func Import(backend compute.Backend, path string) (*Model, error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, fmt.Errorf("pmf: %w", err)
	}
	mean := arrays["param/pair/mean"]
	if mean == nil {
		return importMACE(backend, path, arrays)
	}
	pairs := mean.Shape().Size()
	p := Invariant{Beads: int(math.Round((1 + math.Sqrt(1+8*float64(pairs))) / 2)), Mean: make([]float32, pairs), White: make([]float32, pairs*pairs)}
	if kT := numbers(arrays[ktArray]); len(kT) == 1 {
		p.KT = kT[0]
	}
	if out := arrays["param/out/w"]; out != nil && out.Rank() == 2 {
		p.Hidden = out.Shape().Dim(0)
	}
	if p.Beads*(p.Beads-1)/2 != pairs || pairs == 0 || p.Hidden == 0 || !(p.KT > 0) {
		return nil, fmt.Errorf("pmf: %s: %w: %d distances, width %d of out/w and %s = %g are not those of an invariant potential", path, train.ErrParams, pairs, p.Hidden, ktArray, p.KT)
	}
	for ; arrays[fmt.Sprintf("param/blocks/%d/0/w", p.Blocks)] != nil; p.Blocks++ {
	}
	m := &Model{Potential: p, Store: model.NewStore(), backend: backend}
	p.Init(m.Store, rand.New(rand.NewPCG(0, 0)))
	if err := train.ImportParams(m.Store, arrays); err != nil {
		return nil, fmt.Errorf("pmf: %s: %w", path, err)
	}
	return m, nil
}
