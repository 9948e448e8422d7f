// Package display shows figures, tables, numbers and progress from the cells of a notebook, and records the numbers.
//
// In a cell on the GoNB kernel everything appears under the cell, as rich content with a plain-text form beside it, and
// has arrived when the call returns. Elsewhere the plain text goes to the standard output, and progress to the standard
// error. Where the environment variable CGBG_RUN_DIR names the folder of a run, figures are saved below it, in
// figures/, and numbers in results.json; without it nothing is written.
//
// Notebook cells import this package; the library (cgbg, data) never does.
package display

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// RunDirEnv is the environment variable with the absolute path of the folder of the current run.
const RunDirEnv = "CGBG_RUN_DIR"

// StartEnv is the environment variable with the time at which the kernel started, in s since 1970.
const StartEnv = "CGBG_RUN_START"

// RunDir returns the folder of the current run, or "" where there is none.
func RunDir() string { return os.Getenv(RunDirEnv) }

// InNotebook reports whether the program is a cell that GoNB runs.
func InNotebook() bool { return gonbui.IsNotebook }

// Context returns a context that ends when the notebook's stop button is pressed, or on SIGTERM: long work then saves
// its state and returns. GoNB kills the cell 5 s after it has sent SIGINT. A second signal ends the program at once.
func Context() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Must ends the cell with the error's message if there is one: the notebook then shows the cell as failed. An
// interrupted computation says how to go on.
func Must(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		panic(fmt.Sprintf("interrupted (%v): run the cell again to go on from the saved state", err))
	}
	panic(err.Error())
}

// Get returns the value of a call that may fail, or ends the cell as Must does:
//
//	frames := display.Get(data.Open(path))
func Get[T any](value T, err error) T {
	Must(err)
	return value
}

// Get2 is Get for calls with two results.
func Get2[A, B any](a A, b B, err error) (A, B) {
	Must(err)
	return a, b
}

// sinceStart is the time since the kernel started, in s, or 0 outside one.
func sinceStart() float64 {
	start, err := strconv.ParseFloat(os.Getenv(StartEnv), 64)
	if err != nil {
		return 0
	}
	return math.Round(10*(float64(time.Now().UnixMilli())/1000-start)) / 10
}

// Markdown shows formatted text; formulas stand between dollar signs.
func Markdown(text string) { show(content{plain: text, markdown: text}) }
