package run

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Intervals between two lines about the same cell: on a terminal, where they
// replace each other, and elsewhere, where they stay.
const (
	liveInterval = 200 * time.Millisecond
	lineInterval = 10 * time.Second
	lineWidth    = 78 // columns; longer lines would not be replaced
)

// progress prints one line per cell with its elapsed time, and what the cell
// itself says of its progress.
type progress struct {
	w     io.Writer
	live  bool // lines can be replaced
	total int

	mu    sync.Mutex
	cell  int // 1-based among the code cells; 0 for none
	title string
	note  string // newest progress of the cell
	said  string // the note last printed
	start time.Time
	stop  chan struct{}
	done  sync.WaitGroup
}

// begin starts the line of a cell, or of a step before the first one (cell 0).
func (p *progress) begin(cell int, title string) {
	p.mu.Lock()
	p.cell, p.title, p.note, p.said, p.start = cell, title, "", "", time.Now()
	p.stop = make(chan struct{})
	p.mu.Unlock()
	interval := lineInterval
	if p.live {
		interval = liveInterval
		p.tick()
	}
	p.done.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				p.tick()
			}
		}
	})
}

// say keeps what a cell reports of its progress.
func (p *progress) say(note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = strings.Join(strings.Fields(note), " ")
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.live:
		fmt.Fprintf(p.w, "\r%s\x1b[K", cut(p.line("…", p.note), lineWidth))
	case p.note != p.said:
		p.said = p.note
		fmt.Fprintln(p.w, p.line("…", p.note))
	}
}

// end prints the final line of a cell.
func (p *progress) end(outcome string) {
	close(p.stop)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(outcome, "")
	if p.live {
		line = "\r" + line + "\x1b[K"
	}
	fmt.Fprintln(p.w, line)
}

// line is " 3/12    4.7 s ok  title", or the note in place of the title.
func (p *progress) line(outcome, note string) string {
	at := strings.Repeat(" ", 5)
	if p.cell > 0 {
		at = fmt.Sprintf("%2d/%-2d", p.cell, p.total)
	}
	text := p.title
	if note != "" {
		text = note
	}
	return fmt.Sprintf("%s %8s  %-6s %s", at, clock(time.Since(p.start)), outcome, text)
}

// clock writes a time as "4.7 s" or "3 min 05 s".
func clock(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d min", s/60, s%60)
}

func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// titleOf names a cell by its first line that is not an import.
func titleOf(source string) string {
	imports := false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		switch {
		case line == "import (":
			imports = true
		case imports:
			imports = line != ")"
		case line == "" || line == "%%" || strings.HasPrefix(line, "import "):
		default:
			return cut(strings.TrimSpace(strings.TrimLeft(line, "/")), 50)
		}
	}
	return "imports"
}
