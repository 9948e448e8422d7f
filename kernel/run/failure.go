package run

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cgbg-go/lab/kernel/nbformat"
)

// CellError reports a cell that failed.
type CellError struct {
	Notebook string
	Cell     int    // number among all cells of the executed notebook, from 1
	Count    int    // Jupyter's execution count, In [Count]; 0 where it has none
	Line     int    // line of the cell, from 1; 0 where it is not known
	Source   string // that line
	Inner    string // where another cell's function failed: its place and line
	Message  string
	Err      error // the cause, where there is another than the cell itself
}

// Errors that end a cell.
var (
	ErrTimeout     = errors.New("the cell took too long")
	ErrInterrupted = errors.New("interrupted")
	ErrInput       = errors.New("the cell asks for input, and nobody is there to type; make it a parameter")
	ErrKernelDied  = errors.New("the kernel died")
)

// Error names the cell, quotes the line, and says what happened.
func (e *CellError) Error() string {
	s := fmt.Sprintf("%s: cell %d", e.Notebook, e.Cell)
	if e.Count > 0 {
		s += fmt.Sprintf(" (In [%d])", e.Count)
	}
	if e.Line > 0 {
		s += fmt.Sprintf(", line %d", e.Line)
	}
	s += ": " + e.Message
	if e.Line > 0 {
		s += fmt.Sprintf("\n%6d | %s", e.Line, e.Source)
	}
	if e.Inner != "" {
		s += "\n" + e.Inner
	}
	return s
}

// locate fills in the line of the cell that ran, and the innermost place where
// that is in another one.
func (e *CellError) locate(cells []*nbformat.Cell, where []spot) {
	line := func(s spot) (text string, ok bool) {
		for _, c := range cells {
			lines := strings.Split(c.Source, "\n")
			if c.ExecutionCount == s.count && s.line >= 1 && s.line <= len(lines) {
				return lines[s.line-1], true
			}
		}
		return "", false
	}
	for i, s := range where {
		if s.line == 0 {
			s = e.find(cells, s.source)
		}
		if s.count == 0 {
			s.count = e.Count
		}
		text, ok := line(s)
		switch {
		case !ok:
		case s.count == e.Count:
			e.Line, e.Source = s.line, text
			return
		case i == 0:
			e.Inner = fmt.Sprintf("in a function of In [%d], line %d:\n%6d | %s", s.count, s.line, s.line, text)
		}
	}
}

// find returns the line with that source, in the cell that ran or else in the
// last cell that has it; a zero line where there is none.
func (e *CellError) find(cells []*nbformat.Cell, source string) (found spot) {
	for _, c := range cells {
		if c.ExecutionCount == 0 || found.count == e.Count && found.line > 0 {
			continue
		}
		for i, l := range strings.Split(c.Source, "\n") {
			if source != "" && strings.TrimSpace(l) == source {
				found = spot{count: c.ExecutionCount, line: i + 1}
				break
			}
		}
	}
	return found
}

// Unwrap returns the cause.
func (e *CellError) Unwrap() error { return e.Err }

func timeoutError(limit time.Duration) error {
	return fmt.Errorf("%w: more than %v; -timeout changes the limit", ErrTimeout, limit)
}

// GoNB's marks of a place: in a list of compile errors, and in a stack trace.
var (
	compilePlace = regexp.MustCompile(`Cell(?:\[(\d+)\]:)? Line (\d+)`)
	tracePlace   = regexp.MustCompile(`(?:\[\[ Cell (?:\[(\d+)\] )?Line (\d+) \]\] )?(/\S*/main\.go):(\d+)`)
	ansi         = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	compileLine  = regexp.MustCompile(`^.*main(?:_test)?\.go:\d+:\d+: `)
	exitStatus   = regexp.MustCompile(`(?m)^(exit status \d+|signal: .+)\s*\z`)
)

// spot is a line of a cell.
type spot struct {
	count  int    // execution count of the cell, 0 for the one that runs
	line   int    // from 1; 0 where only the source is known
	source string // of the line, without the space around it
}

// compileSpots lists the places that a compiler's messages name, in their order.
func compileSpots(text string) []spot {
	var out []spot
	for _, m := range compilePlace.FindAllStringSubmatch(text, -1) {
		count, _ := strconv.Atoi(m[1])
		line, _ := strconv.Atoi(m[2])
		out = append(out, spot{count: count, line: line})
	}
	return out
}

// traceSpots lists the places that a stack trace names, in its order. A place
// that arrived at GoNB in two parts has no mark: it is known by its source,
// which the program GoNB made still has.
func traceSpots(text string) []spot {
	var out []spot
	for _, m := range tracePlace.FindAllStringSubmatch(text, -1) {
		var s spot
		if m[2] != "" {
			s.count, _ = strconv.Atoi(m[1])
			s.line, _ = strconv.Atoi(m[2])
		} else if program, err := os.ReadFile(m[3]); err == nil {
			n, _ := strconv.Atoi(m[4])
			if lines := strings.Split(string(program), "\n"); n >= 1 && n <= len(lines) {
				s.source = strings.TrimSpace(lines[n-1])
			}
		}
		if s != (spot{}) {
			out = append(out, s)
		}
	}
	return out
}

// explain reads from a cell's error output, and from what it wrote on stderr,
// why and where it failed, the innermost place first.
func explain(failed nbformat.Output, stderr string) (message string, where []spot) {
	value, _ := failed["evalue"].(string)
	traceback, _ := failed["traceback"].([]any)
	var lines []string
	for _, l := range traceback {
		lines = append(lines, ansi.ReplaceAllString(fmt.Sprint(l), ""))
	}
	stderr = ansi.ReplaceAllString(stderr, "")
	if compiler := compilerMessages(value); compiler != "" {
		return compiler, compileSpots(strings.Join(lines, "\n"))
	}
	return runtimeMessage(stderr, value), traceSpots(stderr)
}

// compilerMessages returns a compiler's messages without file names and
// headings, or "" if the text has none.
func compilerMessages(text string) string {
	var out []string
	for l := range strings.Lines(text) {
		if place := compileLine.FindString(l); place != "" {
			out = append(out, strings.TrimSpace(l[len(place):]))
		}
	}
	return strings.Join(out, "\n")
}

// runtimeMessage returns the panic of a program from its stderr, or the last
// lines before its exit status.
func runtimeMessage(stderr, exit string) string {
	if i := strings.LastIndex(stderr, "panic: "); i >= 0 {
		text, _, _ := strings.Cut(stderr[i:], "\n\ngoroutine ")
		return strings.TrimSpace(text)
	}
	if i := strings.LastIndex(stderr, "fatal error: "); i >= 0 {
		text, _, _ := strings.Cut(stderr[i:], "\n\n")
		return strings.TrimSpace(text)
	}
	rest := strings.Split(strings.TrimSpace(exitStatus.ReplaceAllString(stderr, "")), "\n")
	if last := rest[max(0, len(rest)-3):]; last[0] != "" {
		return exit + ": " + strings.Join(last, "\n")
	}
	return exit
}

// shellFailure returns how a shell command of the cell ended, if badly: GoNB
// reports such cells as good, and writes the status on stderr.
func shellFailure(c *nbformat.Cell) string {
	shell := false
	for line := range strings.Lines(c.Source) {
		shell = shell || strings.HasPrefix(line, "!")
	}
	if !shell {
		return ""
	}
	for _, o := range c.Outputs {
		if o.Type() == "stream" && o.Name() == "stderr" {
			if status := exitStatus.FindString(o.Text()); status != "" {
				return strings.TrimSpace(status)
			}
		}
	}
	return ""
}
