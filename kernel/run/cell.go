package run

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cgbg-go/lab/kernel/jupyter"
	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/session"
)

// grace is how long an interrupted cell may take to save its state: GoNB kills
// it after 5 s.
const grace = 8 * time.Second

// executor runs cells one after the other on one kernel.
type executor struct {
	client   *jupyter.Client
	process  *session.Process
	progress *progress
	timeout  time.Duration
	displays map[string][]nbformat.Output // display id → outputs that show it
}

// cellRun is the state of one execute request.
type cellRun struct {
	cell          *nbformat.Cell
	id            string
	replied, idle bool
	failed        bool
	clear         bool // clear the outputs when the next one comes
}

// execute runs one cell and puts what it shows into its outputs. Errors:
// ErrTimeout, ErrInterrupted, ErrInput, ErrKernelDied; a cell that fails by itself is
// reported by failed.
func (e *executor) execute(ctx context.Context, cell *nbformat.Cell) (failed bool, err error) {
	cell.Outputs, cell.ExecutionCount = nil, 0
	id, err := e.client.Execute(cell.Source, false)
	if err != nil {
		return false, err
	}
	r := &cellRun{cell: cell, id: id}
	var limit, kill <-chan time.Time
	if e.timeout > 0 {
		timer := time.NewTimer(e.timeout)
		defer timer.Stop()
		limit = timer.C
	}
	interrupted := ctx.Done()
	interrupt := func(cause error) {
		err = cause
		e.process.Interrupt()
		limit, interrupted = nil, nil
		kill = time.After(grace)
	}
	for !r.replied || !r.idle {
		select {
		case m, ok := <-e.client.Shell:
			if !ok {
				return r.failed, ErrKernelDied
			}
			r.reply(m)
		case m, ok := <-e.client.IOPub:
			if !ok {
				return r.failed, ErrKernelDied
			}
			e.publish(r, m)
		case _, ok := <-e.client.Stdin:
			if !ok {
				return r.failed, ErrKernelDied
			}
			if err == nil { // nobody is there to type
				interrupt(ErrInput)
			}
		case <-e.process.Done():
			e.drain(r)
			return r.failed, ErrKernelDied
		case <-interrupted:
			interrupt(ErrInterrupted)
		case <-limit:
			interrupt(timeoutError(e.timeout))
		case <-kill:
			return r.failed, err
		}
	}
	return r.failed, err
}

func (r *cellRun) reply(m *jupyter.Message) {
	if m.Parent.ID != r.id || m.Header.Type != "execute_reply" {
		return
	}
	var content struct {
		Status string `json:"status"`
		Count  int    `json:"execution_count"`
	}
	if json.Unmarshal(m.Content, &content) == nil {
		r.failed = r.failed || content.Status != "ok"
		r.cell.ExecutionCount = content.Count
	}
	r.replied = true
}

// drain takes what a dead kernel had still sent.
func (e *executor) drain(r *cellRun) {
	for {
		select {
		case m, ok := <-e.client.IOPub:
			if !ok {
				return
			}
			e.publish(r, m)
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}

// output is the content of the messages that show something.
type output struct {
	Name      string         `json:"name"` // stream
	Text      string         `json:"text"`
	Data      map[string]any `json:"data"` // display
	Metadata  map[string]any `json:"metadata"`
	Count     int            `json:"execution_count"`
	State     string         `json:"execution_state"`
	Wait      bool           `json:"wait"`  // clear_output
	EName     string         `json:"ename"` // error
	EValue    string         `json:"evalue"`
	Traceback []string       `json:"traceback"`
	Transient struct {
		ID string `json:"display_id"`
	} `json:"transient"`
}

// publish takes a message of the iopub channel.
func (e *executor) publish(r *cellRun, m *jupyter.Message) {
	if m.Parent.ID != r.id {
		return
	}
	var c output
	if err := json.Unmarshal(m.Content, &c); err != nil {
		return
	}
	switch m.Header.Type {
	case "status":
		r.idle = r.idle || c.State == "idle"
	case "execute_input":
		r.cell.ExecutionCount = c.Count
	case "clear_output":
		if r.clear = c.Wait; !c.Wait {
			r.cell.Outputs = nil
		}
	case "stream":
		r.fresh()
		r.cell.Outputs = nbformat.AppendStream(r.cell.Outputs, c.Name, c.Text)
	case "error":
		r.fresh()
		r.failed = true
		r.cell.Outputs = append(r.cell.Outputs, nbformat.Error(c.EName, c.EValue, c.Traceback))
	case "display_data", "execute_result", "update_display_data":
		e.display(r, m.Header.Type, &c)
	}
}

func (r *cellRun) fresh() {
	if r.clear {
		r.cell.Outputs, r.clear = nil, false
	}
}

// display shows data, or replaces what is already shown under its id.
func (e *executor) display(r *cellRun, kind string, c *output) {
	id := c.Transient.ID
	if id != "" {
		if text, ok := c.Data["text/plain"].(string); ok {
			e.progress.say(text)
		}
		shown := e.displays[id]
		for _, o := range shown {
			maps.Copy(o, nbformat.Display(c.Data, c.Metadata))
		}
		if len(shown) > 0 || kind == "update_display_data" {
			return
		}
	}
	r.fresh()
	out := nbformat.Display(c.Data, c.Metadata)
	if id != "" {
		e.displays[id] = append(e.displays[id], out)
	}
	r.cell.Outputs = append(r.cell.Outputs, out)
}

// stderrOf is all that a cell wrote on stderr.
func stderrOf(c *nbformat.Cell) string {
	var b strings.Builder
	for _, o := range c.Outputs {
		if o.Type() == "stream" && o.Name() == "stderr" {
			b.WriteString(o.Text())
		}
	}
	return b.String()
}

// awaitKernel waits until the kernel answers, and until what it publishes
// arrives, which a subscription takes a while to bring about.
func awaitKernel(ctx context.Context, client *jupyter.Client, process *session.Process) error {
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	if _, err := client.KernelInfo(); err != nil {
		return err
	}
	answered, published := false, false
	for !answered || !published {
		select {
		case m := <-client.Shell:
			answered = answered || m != nil && m.Header.Type == "kernel_info_reply"
		case m := <-client.IOPub:
			published = published || m != nil
		case <-retry.C:
			if _, err := client.KernelInfo(); err != nil {
				return err
			}
		case <-process.Done():
			return fmt.Errorf("%w before it was ready", ErrKernelDied)
		case <-ctx.Done():
			return fmt.Errorf("the kernel does not answer: %w", context.Cause(ctx))
		}
	}
	return nil
}
