package nbformat

import (
	"maps"
	"strings"
)

// Output is one output of a code cell, with the fields of the format:
// output_type (stream, display_data, execute_result, error) and its own.
// Multi-line strings are plain strings here, and lists of lines in the file.
type Output map[string]any

// Stream returns a stream output; name is "stdout" or "stderr".
func Stream(name, text string) Output {
	return Output{"output_type": "stream", "name": name, "text": text}
}

// Display returns a display_data output. data maps MIME types to values.
func Display(data, metadata map[string]any) Output {
	return Output{"output_type": "display_data", "data": nonNil(data), "metadata": nonNil(metadata)}
}

// Error returns an error output.
func Error(name, value string, traceback []string) Output {
	tb := make([]any, len(traceback))
	for i, s := range traceback {
		tb[i] = s
	}
	return Output{"output_type": "error", "ename": name, "evalue": value, "traceback": tb}
}

// Type returns the output_type.
func (o Output) Type() string { return o.str("output_type") }

// Name returns the name of a stream.
func (o Output) Name() string { return o.str("name") }

// Text returns the text of a stream, or the text/plain form of a display.
func (o Output) Text() string {
	if o.Type() == "stream" {
		return o.str("text")
	}
	data, _ := o["data"].(map[string]any)
	s, _ := data["text/plain"].(string)
	return s
}

func (o Output) str(key string) string {
	s, _ := o[key].(string)
	return s
}

// readOutput joins the lists of lines of an output read from a file.
func readOutput(m map[string]any) Output {
	if m["output_type"] == "stream" {
		if s, ok := joinLines(m["text"]); ok {
			m["text"] = s
		}
	}
	if data, ok := m["data"].(map[string]any); ok {
		for mime, v := range data {
			if s, ok := joinLines(v); ok && !isJSON(mime) {
				data[mime] = s
			}
		}
	}
	return m
}

// encode is the inverse of readOutput; it leaves o as it is.
func (o Output) encode() map[string]any {
	m := maps.Clone(map[string]any(o))
	if s, ok := m["text"].(string); ok && o.Type() == "stream" {
		m["text"] = splitLines(s)
	}
	if data, ok := m["data"].(map[string]any); ok {
		data = maps.Clone(data)
		for mime, v := range data {
			if s, ok := v.(string); ok && isText(mime) {
				data[mime] = splitLines(s)
			}
		}
		m["data"] = data
	}
	return m
}

func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasSuffix(mime, "+json")
}

func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}

// AppendStream adds text to the stream of that name at the end of outputs, or
// begins a new one, and applies carriage returns and backspaces as a terminal
// would: a progress line that was drawn a thousand times is kept once.
func AppendStream(outputs []Output, name, text string) []Output {
	if n := len(outputs); n > 0 && outputs[n-1].Type() == "stream" && outputs[n-1].Name() == name {
		outputs[n-1]["text"] = collapse(outputs[n-1].str("text") + text)
		return outputs
	}
	return append(outputs, Stream(name, collapse(text)))
}

// collapse keeps of each line what a terminal would still show. A carriage
// return at the very end stays: what it erases is not yet known.
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
		open := i == len(lines)-1 && strings.HasSuffix(line, "\r")
		line = overwrite(line)
		if open {
			line += "\r"
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// overwrite plays one line on a terminal of unlimited width. The sequence
// "\x1b[K" clears to the end of the line.
func overwrite(line string) string {
	const clear = "\x1b[K"
	var cells []rune
	at := 0
	for len(line) > 0 {
		if strings.HasPrefix(line, clear) {
			cells, line = cells[:at], line[len(clear):]
			continue
		}
		r := []rune(line[:min(len(line), 4)])[0]
		line = line[len(string(r)):]
		switch {
		case r == '\r':
			at = 0
		case r == '\b':
			at = max(at-1, 0)
		case at < len(cells):
			cells[at] = r
			at++
		default:
			cells = append(cells, r)
			at++
		}
	}
	return string(cells)
}
