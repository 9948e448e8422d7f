package display

import (
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// Intervals between two shows of a bar: in a notebook and on a terminal, and in lines that stay (a log file).
const (
	liveInterval = 250 * time.Millisecond
	lineInterval = 5 * time.Second
	waitInterval = time.Second // before the first step, which is the longest where something is compiled
)

// Bar shows the progress of a long computation on one line that changes in place; where lines cannot change, such as
// in a log file, it prints one from time to time. It may be used from several goroutines.
type Bar struct {
	title string
	id    string
	now   func() time.Time
	every time.Duration
	put   func(c content, last bool)

	mu          sync.Mutex
	started     bool
	first       int // done at the first update: work from an earlier run says nothing about the speed of this one
	start       time.Time
	paceDone    int // after the first step, from which on the speed is told
	paceStart   time.Time
	live        bool // the line changes in place
	wait        *time.Timer
	shown       time.Time
	done, total int
	note        string
	pending     bool
	timer       *time.Timer
}

// NewBar returns a bar with that title. Its clock starts with the first update.
func NewBar(title string) *Bar {
	b := &Bar{title: title, now: time.Now, every: liveInterval}
	info, err := os.Stderr.Stat()
	switch {
	case InNotebook():
		b.id = "cgbg-bar-" + gonbui.UniqueId()
		b.live, b.put = true, func(c content, _ bool) { show(c) }
	case err == nil && info.Mode()&os.ModeCharDevice != 0:
		b.live, b.put = true, func(c content, last bool) {
			end := ""
			if last {
				end = "\n"
			}
			fmt.Fprintf(os.Stderr, "\r%s\x1b[K%s", c.plain, end)
		}
	default:
		b.every = lineInterval
		b.put = func(c content, _ bool) { fmt.Fprintln(os.Stderr, c.plain) }
	}
	return b
}

// Update tells how far the computation is. Its form is that of the library's progress callbacks, to which b.Update can
// be given. done of total units are finished; total is 0 where it is not known. note says what is of interest, as
// "epoch 9/20 loss 0.123". At most 4 updates a second are shown; the newest one is always shown in the end.
func (b *Bar) Update(done, total int, note string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if !b.started || done < b.done {
		b.started, b.first, b.start, b.paceDone = true, done, now, done
	}
	if done > b.first && b.paceDone == b.first {
		b.paceDone, b.paceStart = done, now
	}
	b.done, b.total, b.note = done, total, note
	wait := b.every - now.Sub(b.shown)
	if wait <= 0 || b.finished() {
		b.draw(now)
		return
	}
	b.pending = true
	if b.timer == nil {
		b.timer = time.AfterFunc(wait, b.Flush)
	}
}

// Flush shows the newest update if it was held back. It is needed only before a program ends with work unfinished.
func (b *Bar) Flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if b.pending {
		b.draw(b.now())
	}
}

// tick moves the clock on while the first step takes its time.
func (b *Bar) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == b.first {
		b.draw(b.now())
	}
}

func (b *Bar) finished() bool { return b.total > 0 && b.done >= b.total }

// draw shows the state; the caller holds mu.
func (b *Bar) draw(now time.Time) {
	b.pending, b.shown = false, now
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if b.wait != nil {
		b.wait.Stop()
	}
	if b.live && b.done == b.first && !b.finished() {
		b.wait = time.AfterFunc(waitInterval, b.tick)
	}
	line := b.line(now)
	c := content{plain: line, id: b.id}
	bar := "<progress></progress>"
	if b.total > 0 {
		bar = fmt.Sprintf(`<progress value="%d" max="%d"></progress>`, min(b.done, b.total), b.total)
	}
	text := strings.TrimPrefix(line, b.title)
	c.html = fmt.Sprintf(`<div style="font-variant-numeric: tabular-nums">%s %s%s</div>`,
		html.EscapeString(b.title), bar, html.EscapeString(text))
	b.put(c, b.finished())
}

// line is the plain form: "flow, unbiased  45 % 900/2000  epoch 9/20 loss 0.123  12 s, ETA 15 s".
func (b *Bar) line(now time.Time) string {
	parts := []string{b.title}
	if b.total > 0 {
		parts = append(parts, fmt.Sprintf("%d %% %d/%d", 100*min(b.done, b.total)/b.total, b.done, b.total))
	} else {
		parts = append(parts, fmt.Sprint(b.done))
	}
	if note := strings.Join(strings.Fields(b.note), " "); note != "" {
		parts = append(parts, note)
	}
	elapsed := now.Sub(b.start)
	clock := duration(elapsed)
	if worked := b.done - b.paceDone; worked > 0 && b.paceDone > b.first && b.total > b.done {
		left := time.Duration(float64(now.Sub(b.paceStart)) / float64(worked) * float64(b.total-b.done))
		clock += ", ETA " + duration(left)
	}
	return strings.Join(append(parts, clock), "  ")
}

// duration writes a time as "12 s", "3 min 05 s" or "2 h 07 min".
func duration(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
}

// Progress is a new bar's Update: what long steps tell their progress to.
func Progress(label string) func(done, total int, note string) { return NewBar(label).Update }
