package nbformat

import (
	"strings"
	"unicode/utf8"
)

// AppendStream adds text to the stream of that name at the end of outputs, or
// begins a new one, and applies carriage returns and backspaces as a terminal
// would: a progress line that was drawn a thousand times is kept once.
func AppendStream(outputs []Output, name, text string) []Output {
	if n := len(outputs); n > 0 && outputs[n-1].Type() == "stream" && outputs[n-1].Name() == name {
		old := outputs[n-1].str("text")
		begin := strings.LastIndexByte(old, '\n') + 1 // finished lines stay as they are
		outputs[n-1]["text"] = old[:begin] + collapse(old[begin:]+text)
		return outputs
	}
	return append(outputs, stream(name, collapse(text)))
}

// collapse keeps of each line what a terminal would still show. Where the
// cursor is not at the end of the last line, a carriage return and what is left
// of the cursor bring it back there: what comes next is not yet known.
func collapse(text string) string {
	if !strings.ContainsAny(text, "\r\b") {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.ContainsAny(line, "\r\b") {
			continue
		}
		shown, left := overwrite(line)
		if i == len(lines)-1 && len(left) < len(shown) {
			shown += "\r" + left
		}
		lines[i] = shown
	}
	return strings.Join(lines, "\n")
}

// overwrite plays one line on a terminal of unlimited width, and returns what
// it shows, and the part of it left of the cursor. The sequence "\x1b[K" clears
// to the end of the line.
func overwrite(line string) (shown, left string) {
	const clear = "\x1b[K"
	var cells []string // one character each
	at := 0
	for len(line) > 0 {
		if strings.HasPrefix(line, clear) {
			cells, line = cells[:at], line[len(clear):]
			continue
		}
		_, n := utf8.DecodeRuneInString(line)
		r := line[:n]
		line = line[n:]
		switch {
		case r == "\r":
			at = 0
		case r == "\b":
			at = max(at-1, 0)
		case at < len(cells):
			cells[at] = r
			at++
		default:
			cells = append(cells, r)
			at++
		}
	}
	return strings.Join(cells, ""), strings.Join(cells[:at], "")
}
