package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cgbg-go/lab/cgbg"
)

// Between two lines of progress: on a terminal, where they overwrite each other, and elsewhere, where
// a third of the time so far passes, within limits.
const (
	everyOnTerminal = 200 * time.Millisecond
	everyAtLeast    = 5 * time.Second
	everyAtMost     = 30 * time.Second
)

// lines tells progress on a line that changes in place where w is a terminal, and in lines of its own in a pipe or a
// file: one as soon as a task begins, more after some seconds, and one at its end.
func lines(w *os.File) cgbg.Progress {
	info, err := w.Stat()
	p := &progress{w: w, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, now: time.Now}
	return p.tell
}

// progress of one task after another.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	running     bool
	start, last time.Time // of the task; of the last line
	first, done int       // of the task's first and last call
	total       int
	ended       string // the last line of the task before
}

func (p *progress) tell(done, total int, note string) {
	now := p.now()
	begins := !p.running || done < p.done || total != p.total
	if begins {
		p.running, p.start, p.first, p.total = true, now, done, total
	}
	p.done = done
	every := everyOnTerminal
	if !p.terminal {
		every = min(everyAtMost, max(everyAtLeast, now.Sub(p.start)/3))
	}
	if !begins && done < total && now.Sub(p.last) < every {
		return
	}
	text := p.text(now, note)
	p.running = done < total
	if !p.running && begins && text == p.ended { // told twice
		return
	}
	p.last, p.ended = now, text
	switch {
	case p.terminal && done < total:
		fmt.Fprintf(p.w, "\r\033[K%s", text)
	case p.terminal:
		fmt.Fprintf(p.w, "\r\033[K%s\n", text)
	default:
		fmt.Fprintln(p.w, text)
	}
}

// text is how far the task is, the time that it still takes, and the note.
func (p *progress) text(now time.Time, note string) string {
	text := fmt.Sprintf("%d of %d", p.done, p.total)
	if p.total > 0 {
		text += fmt.Sprintf(" (%d %%)", 100*p.done/p.total)
	}
	if p.done > p.first && p.done < p.total {
		left := float64(now.Sub(p.start)) / float64(p.done-p.first) * float64(p.total-p.done)
		text += ", " + time.Duration(left).Round(time.Second).String() + " left"
	}
	if note != "" {
		text += ", " + note
	}
	return text
}
