package nbformat

import (
	"maps"
	"strings"
)

// Output is one output of a code cell, with the fields of the format:
// output_type (stream, display_data, execute_result, error) and its own.
// Multi-line strings are plain strings here, and lists of lines in the file.
type Output map[string]any

// stream returns a stream output; name is "stdout" or "stderr".
func stream(name, text string) Output {
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
		if s, ok := joinLines(m["text"]); ok && m["text"] != nil {
			m["text"] = s
		}
	}
	if data, ok := m["data"].(map[string]any); ok {
		for mime, v := range data {
			if s, ok := joinLines(v); ok && v != nil && !isJSON(mime) {
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

// isJSON and isText tell MIME types apart as Jupyter's reader and writer do.
func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}

func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}
