package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/cli"
)

// early finds what would stop the run before trajectories, which may be long, are imported.
func (p *plan) early(w *cgbg.Workflow) error {
	for _, m := range []struct {
		kind  string
		model cgbg.WorkflowModel
	}{{"pmf", w.PMF}, {"flow", w.Flow}} {
		var err error
		switch {
		case m.model.Model != "":
			_, err = cgbg.ReadCard(m.model.Model)
		case m.model.Frames != "":
			_, err = cgbg.CheckTraining(m.kind, m.model.Frames, m.model.Out, m.model.Options)
		default:
			err = m.model.Options.Check(m.kind)
		}
		if err != nil {
			return err
		}
	}
	if p.Reference.Frames == "" {
		return nil
	}
	if _, err := os.Stat(p.Reference.Frames); err != nil {
		return fmt.Errorf("the reference: %w", err)
	}
	return nil
}

// checkPaths verifies that no result replaces what is read; path is the plan's own file.
func (p *plan) checkPaths(path string) error {
	d := &p.Data
	inputs := append([]string{path, d.Frames, d.Structure, d.AWH, d.Bias, p.Flow.Frames, p.PMF.Frames, p.Reference.Frames}, d.Trajectories...)
	inputs = append(inputs, withCards(p.Flow.Model, p.PMF.Model, p.Flow.From, p.PMF.From)...)
	if info, err := os.Stat(d.Map); err == nil && !info.IsDir() {
		inputs = append(inputs, d.Map)
	}
	outputs := append(reportFiles(p.Out), cli.Beside(filepath.Join(p.Out, "samples.arrow"))...)
	for name, given := range map[string]string{"frames.arrow": d.Frames, "pmf.npz": p.PMF.Model, "flow.npz": p.Flow.Model} {
		if given == "" {
			outputs = append(outputs, cli.Beside(filepath.Join(p.Out, name))...)
		}
	}
	if err := cli.CheckFolder(p.Out); err != nil {
		return err
	}
	return cli.CheckPaths(outputs, inputs)
}
