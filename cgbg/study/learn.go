package study

import (
	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/data"
)

// learnSamples is how many samples a generator of one simulation draws, by preset.
var learnSamples = map[string]int{"small": 120, "quick": 1000, "paper": 1_000_000}

// Learn opens a generator, of a continuous flow, that is trained from nothing on one biased simulation, whose
// reweighted frames, asked the question, are its reference, too. Results are behind name. Errors: those of the frames,
// of [analysis.NewSet] and [cgbg.Open].
func Learn(name, preset string, seed int, dir string, question *analysis.Question,
	simulation analysis.Source) (*cgbg.Generator, error) {
	if err := cgbg.CheckPreset(preset); err != nil {
		return nil, err
	}
	f, meta, err := simulation()
	if err != nil {
		return nil, err
	}
	reference, err := analysis.NewSet(question, analysis.Options{Name: "reference", Seed: seed}, f, meta)
	if err != nil {
		return nil, err
	}
	reference.Title = "MD, reweighted"
	same := map[string]analysis.Source{cgbg.Biased: func() (*data.Frames, data.Meta, error) { return f, meta, nil }}
	return cgbg.Open(cgbg.Options{Name: name, Prefix: name, FlowFrames: same, ForceFrames: same, Reference: reference,
		Preset: preset, Seed: seed, Dir: dir, Samples: learnSamples[preset],
		Flow: cgbg.TrainOptions{Field: cgbg.VectorField(preset)}})
}
