package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
)

// TestMain plays the child of TestKill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CGBG_TEST_CHILD"); dir != "" {
		if err := trainLong(dir, func(done, total int, _ string) { fmt.Println(done, total) }); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func open(t *testing.T, backendName string, seed int, dir string) *Lab {
	t.Helper()
	t.Setenv(backend.ConfigEnv, backendName)
	m, err := Open("small", seed, dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// outcome is everything that a run ends with; text prints it, exactly.
type outcome struct {
	pmf      *PMFReport
	flows    []*Report
	logQErr  []float64
	integral []float64
	text     string
}

func finish(t *testing.T, m *Lab) (o outcome) {
	t.Helper()
	ctx := context.Background()
	var err error
	if o.pmf, err = m.ReportPMF(ctx); err != nil {
		t.Fatal(err)
	}
	o.text = fmt.Sprintln(o.pmf.RMSE, o.pmf.U, o.pmf.Loss)
	for _, biased := range []bool{false, true} {
		r, err := m.Report(ctx, biased, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.propose(ctx, biased, nil)
		if err != nil {
			t.Fatal(err)
		}
		integral, err := m.densityIntegral(ctx, biased)
		if err != nil {
			t.Fatal(err)
		}
		o.flows, o.logQErr, o.integral = append(o.flows, r), append(o.logQErr, p.LogQErr), append(o.integral, integral)
		o.text += fmt.Sprintln(r.Results(), integral, r.ProfileAfter.F)
	}
	return o
}

// The chain runs with the small preset on every backend, its numbers are what a
// small one can give, and they are the same again with the same seed.
func TestSmall(t *testing.T) {
	if testing.Short() && fixture.Race {
		t.Skip("simulates for minutes under the race detector; package mullerbrown's own tests do so for less")
	}
	for _, name := range backend.Installed() {
		t.Run(name, func(t *testing.T) {
			got := finish(t, open(t, name, 3, t.TempDir()))
			if !(got.pmf.RMSE < 1.5) { // a fifth of the range that is compared
				t.Errorf("PMF: got an error of %.2f kT", got.pmf.RMSE)
			}
			for k, r := range got.flows {
				if !(got.logQErr[k] <= 0.01) || math.Abs(got.integral[k]-1) > 0.01 {
					t.Errorf("%s: got an error of ln q of %g nats and a density that integrates to %g",
						r.Name, got.logQErr[k], got.integral[k])
				}
				if !(r.Weights.ESS > 0.03) || !(r.After.JS.Value < 0.1) {
					t.Errorf("%s: got ESS %g, JS %g", r.Name, r.Weights.ESS, r.After.JS.Value)
				}
			}
			if again := finish(t, open(t, name, 3, t.TempDir())); again.text != got.text {
				t.Errorf("the same seed: got\n%s\nwant\n%s", again.text, got.text)
			}
			if name != "go" {
				return // XLA spends its time on compiling
			}
			other, err := open(t, name, 4, t.TempDir()).ReportPMF(context.Background())
			if err != nil || other.RMSE == got.pmf.RMSE {
				t.Errorf("another seed gives the same numbers: %v", err)
			}
		})
	}
}

// Potential and density of the same parameters agree between backends to the
// precision of float32.
func TestBackendsAgree(t *testing.T) {
	names := backend.Installed()
	if len(names) < 2 {
		t.Skip("only the Go backend is here; go run ./kernel install -xla cpu adds another")
	}
	dir := t.TempDir()
	ctx := context.Background()
	x := []float64{12, 18, 24, 28, 33, 40, 45}
	var wantU, wantQ []float64
	for _, name := range names {
		m := open(t, name, 1, dir) // the first one trains, the others read its parameters
		u, _, err := m.pmfOnLine(ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := m.FitFlow(ctx, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		logq, err := f.LogDensity(ctx, x, m.Settings.Accuracy)
		if err != nil {
			t.Fatal(err)
		}
		if wantU == nil {
			wantU, wantQ = u, logq
			continue
		}
		for i := range x {
			if d := math.Abs(u[i] - wantU[i]); d > 1e-4*(1+math.Abs(wantU[i])) {
				t.Errorf("%s: U(%g): got %g, want %g", name, x[i], u[i], wantU[i])
			}
			// Steps of the integrator may differ; its tolerance allows 1e-3 nats.
			if d := math.Abs(logq[i] - wantQ[i]); d > 2e-3 {
				t.Errorf("%s: ln q(%g): got %g, want %g", name, x[i], logq[i], wantQ[i])
			}
		}
	}
}

// trainLong trains a flow for long enough to be killed on the way.
func trainLong(dir string, progress cgbg.Progress) error {
	m, err := Open("small", 5, dir)
	if err != nil {
		return err
	}
	m.Settings.FlowFit.Epochs, m.Settings.FlowFit.CheckpointEvery = 100, 20*time.Millisecond
	_, _, err = m.FitFlow(context.Background(), false, progress)
	return err
}

// kill -9 in the middle of training, then the same again: it goes on where the
// checkpoint stood and ends with the parameters of an uninterrupted run.
func TestKill(t *testing.T) {
	if testing.Short() && fixture.Race {
		t.Skip("simulates twice under the race detector")
	}
	t.Setenv(backend.ConfigEnv, "go")
	whole, killed := t.TempDir(), t.TempDir()
	if err := trainLong(whole, nil); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "CGBG_TEST_CHILD="+killed)
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- child.Wait() }()
	checkpoint := func(dir string) string {
		found, _ := filepath.Glob(filepath.Join(dir, "state", "*", "flow_unbiased.npz"))
		if len(found) != 1 {
			return ""
		}
		return found[0]
	}
	for checkpoint(killed) == "" {
		select {
		case err := <-exited:
			t.Fatalf("the child ended before its first checkpoint: %v\n%s", err, output.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-exited; err == nil {
		t.Fatal("the child was done before it was killed")
	}
	first, total := -1, 0
	err := trainLong(killed, func(done, all int, _ string) {
		if first < 0 {
			first, total = done, all
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if first <= 0 || first >= total {
		t.Errorf("resumed at step %d of %d", first, total)
	}
	got, err := os.ReadFile(checkpoint(killed))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(checkpoint(whole))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the killed and resumed training ends with other parameters than an uninterrupted one")
	}
}

func TestErrors(t *testing.T) {
	if _, err := Open("huge", 1, t.TempDir()); err == nil || !strings.Contains(err.Error(), "quick") {
		t.Errorf("preset: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := open(t, "go", 1, t.TempDir()).Simulate(ctx, false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}
