package cgbg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/kind"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/data"
)

// leastHeldOut is the least number of frames that a likelihood is computed on: two in each of ten blocks.
const leastHeldOut = 20

// Check tells what is wrong with the options for a kind of model ("flow" or "pmf"), before anything is read.
func (o TrainOptions) Check(what string) error {
	s, err := NewSettings(o.Preset, o.Seed)
	switch {
	case err != nil:
		return err
	case o.Width < 0 || o.Epochs < 0 || o.Batch < 0 || o.HeldOut < noLikelihood || !(o.Rate >= 0) || !(o.Late >= 0) ||
		!(o.EMA >= 0):
		return fmt.Errorf("cgbg: a training of %d epochs, batches of %d, rate %g, width %d, late %g, EMA %g, "+
			"%d frames held out: "+
			"none can be negative", o.Epochs, o.Batch, o.Rate, o.Width, o.Late, o.EMA, o.HeldOut)
	case what == PMF && len(o.Refine) > 0:
		return errors.New("cgbg: potentials are not refined: a flow is, on one")
	case what == PMF:
		other := func(k pmf.Kind) bool { return !k.Molecule || !k.Kept() }
		k, err := kind.Find(slices.DeleteFunc(pmf.Potentials(), other), func(k pmf.Kind) string { return k.Name },
			"cgbg: no potential of beads, with files,", cmp.Or(o.Potential, s.Potential))
		if err == nil {
			err = k.Check(pmf.Sizes{Width: o.Width})
		}
		return err
	}
	other := func(k flow.Kind) bool { return !k.Molecule || !k.Kept() }
	k, err := kind.Find(slices.DeleteFunc(flow.Fields(), other), func(k flow.Kind) string { return k.Name },
		"cgbg: no vector field of beads, with files,", cmp.Or(o.Field, s.Field))
	if err == nil {
		err = k.Check(flow.Sizes{Width: o.Width})
	}
	switch {
	case err != nil:
		return err
	case len(o.Refine) > 0 && k.Name != Spline:
		return fmt.Errorf("cgbg: a flow of the field %s cannot be refined on a potential: choose %s, which is exact in one "+
			"pass", k.Name, Spline)
	case !slices.Contains([]flow.Pairing{"", flow.Independent, flow.Aligned, flow.Transported}, o.Pairing):
		return fmt.Errorf("cgbg: no pairing %q: choose %q, %q or %q", o.Pairing, flow.Independent, flow.Aligned,
			flow.Transported)
	case k.Name == Spline && (o.Pairing != "" || o.Late != 0):
		return errors.New("cgbg: pairing and late are of the training of vector fields: leave them out, or choose another " +
			"field (equivariant)")
	case o.HeldOut > 0 && o.HeldOut < leastHeldOut:
		return fmt.Errorf("cgbg: a likelihood of %d frames held out: at least %d", o.HeldOut, leastHeldOut)
	case o.Late > 0 && o.Late < 1 || o.EMA >= 1:
		return fmt.Errorf("cgbg: flow times late by %g and an average of decay %g: the former at least 1, the "+
			"latter below 1",
			o.Late, o.EMA)
	}
	return nil
}

// CheckFrames tells why n frames of a file cannot teach a kind of model.
func CheckFrames(kind, in string, meta data.Meta, n int, forces bool) error {
	_, held := HoldOut(n)
	switch {
	case meta.Dim != 3:
		return fmt.Errorf("cgbg: %s: %d numbers a bead (map %q): models are of beads with three coordinates; "+
			"import with another map", in, meta.Dim, meta.Mapping)
	case kind == Flow && len(held) < leastHeldOut:
		return fmt.Errorf("cgbg: %s: of %d frames a flow would hold out %d for its likelihood: at least %d; "+
			"give it %d frames", in, n, len(held), leastHeldOut, HeldOutPart*leastHeldOut)
	case kind == Flow && meta.Extra[data.KeyPooled] != "":
		return fmt.Errorf("cgbg: %s: frames pooled from simulations with different biases (%s): a flow would learn "+
			"none of "+
			"them; \"cgbg resample\" draws an unbiased set by their weights, potentials learn from them as they are",
			in, meta.Extra[data.KeyPooled])
	case kind == Flow:
		return nil
	case !forces:
		return fmt.Errorf("cgbg: %s: frames without forces: force matching needs them; import a trajectory that has "+
			"them", in)
	case n < HeldOutPart:
		return fmt.Errorf("cgbg: %s: %d frames: a potential holds out one in ten to see which of its steps is best; "+
			"give it more", in, n)
	}
	return needTemperature(in, meta)
}

// checkStart tells whether a training can go on from a model: one of the same kind, of the same beads and map. Its
// temperature may be another.
func checkStart(kind, start, in string, meta data.Meta) error {
	if start == "" {
		return nil
	}
	card, err := ReadCard(start)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(start); err != nil {
			return fmt.Errorf("cgbg: the model to go on from: %w", err)
		}
		return nil // without its card, sizes and names of its parameters still tell
	}
	if err == nil {
		err = card.CheckKind(start, kind)
	}
	if err != nil {
		return err
	}
	was := card.Meta()
	was.Temperature, meta.Temperature = 1, 1
	if err := Belong(in, meta, start, was); err != nil {
		return fmt.Errorf("cgbg: the model to go on from is of others than the frames: %w", err)
	}
	return nil
}

// checkRefine tells whether files are potentials of the frames that a flow learns from.
func checkRefine(files []string, in string, meta data.Meta) error {
	for _, file := range files {
		card, err := ReadCard(file)
		if err == nil {
			err = card.CheckKind(file, PMF)
		}
		if err == nil {
			err = Belong(in, meta, file, card.Meta())
		}
		if err != nil {
			return fmt.Errorf("cgbg: the potential to refine on: %w", err)
		}
	}
	return nil
}

// checkOther tells whether frames of another simulation can say what a flow misses.
func checkOther(file, flowFile string, card *Card) error {
	meta, _, weighed, err := describe(file, "logw")
	if err == nil {
		err = Belong(flowFile, card.Meta(), file, meta)
	}
	if err != nil {
		return err
	}
	if why := reason(meta, weighed); why != "" {
		return fmt.Errorf("cgbg: %s: what a flow misses needs the weights of other frames: %s", file, why)
	}
	return nil
}

// checkOut tells whether a file can be written, where its folder is there or can be made; nothing stays behind.
func checkOut(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("cgbg: %s is a folder: name a file to write", path)
	}
	dir := filepath.Dir(path)
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("cgbg: %s cannot be written: %s is no folder", path, dir)
		}
		if err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".cgbg-*")
	if err != nil {
		return fmt.Errorf("cgbg: %s cannot be written: %w", path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// makeOut is checkOut for a file that takes long to make, whose folder it makes.
func makeOut(path string) error {
	if err := checkOut(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cgbg: %s cannot be written: %w", path, err)
	}
	return nil
}

// CheckTraining tells, without training, what would stop [Train]: options,
// frames, the model to go on from, the file to write. It returns the frames' description.
func CheckTraining(kind, in, out string, o TrainOptions) (data.Meta, error) {
	t, err := readTraining(kind, in, out, o)
	if err != nil {
		return data.Meta{}, err
	}
	if c, ok := t.network.(interface{ Check() error }); ok {
		err = c.Check()
	}
	if err != nil {
		return t.meta, fmt.Errorf("cgbg: %s: %w", in, err)
	}
	return t.meta, nil
}

// reason is why frames say nothing of equilibrium; "" where they may. weighed: they have log-weights.
func reason(m data.Meta, weighed bool) string {
	switch {
	case weighed:
		return ""
	case m.Extra[data.KeyPooled] != "":
		return "pooled from simulations with different biases (" + m.Extra[data.KeyPooled] + "), without weights"
	case m.Extra[data.KeyBias] != "":
		return "of a biased simulation (" + m.Extra[data.KeyBias] + "), without weights"
	}
	return ""
}

// checkReference tells whether samples can be scored against frames of a simulation, with log-weights or without.
// Their beads may differ (a reference may be dihedrals alone), their temperature must be the same.
func checkReference(samples string, meta data.Meta, reference string, of data.Meta, weighed bool) error {
	if err := errors.Join(needTemperature(samples, meta), needTemperature(reference, of)); err != nil {
		return err
	}
	if why := reason(of, weighed); why != "" {
		return fmt.Errorf("cgbg: the reference %s is %s: give its weights (\"cgbg import -h\"), or another "+
			"reference, or none",
			reference, why)
	}
	if !sameKelvin(of.Temperature, meta.Temperature) {
		return fmt.Errorf("cgbg: %s is at %g K, but the reference %s at %g K: take a simulation at the same "+
			"temperature",
			samples, meta.Temperature, reference, of.Temperature)
	}
	return nil
}

// describe opens a file of frames, and tells what they are, how many, and whether a column is there.
func describe(file, column string) (meta data.Meta, n int, there bool, err error) {
	r, err := data.Open(file)
	if err != nil {
		return meta, 0, false, err
	}
	defer r.Close()
	return r.Meta(), r.Len(), slices.Contains(r.Columns(), column), nil
}

// CheckSamples tells whether samples in a file are of a flow, by its card and its checksum, and have log-densities.
func CheckSamples(ctx context.Context, in, flowFile string, card *Card) error {
	meta, _, there, err := describe(in, "logq")
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("cgbg: %s: no column logq: these are no samples of a flow; draw some with \"cgbg sample\"",
			in)
	}
	if err := Belong(in, meta, flowFile, card.Meta()); err != nil {
		return err
	}
	sum, err := data.Checksum(ctx, flowFile)
	if err == nil && sum != meta.SourceSHA {
		err = fmt.Errorf("cgbg: %s was drawn from %s, not from this %s: their SHA-256 differ", in, meta.Source,
			flowFile)
	}
	return err
}
