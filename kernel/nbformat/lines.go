package nbformat

import (
	"strings"
	"unicode/utf8"
)

// joinLines turns a multi-line string of the format, a string or a list of
// strings, into a string.
func joinLines(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case []any:
		var b strings.Builder
		for _, line := range v {
			s, ok := line.(string)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}

// splitLines is the inverse of joinLines: lines keep their ends, which are
// those of Python's str.splitlines, for Jupyter's writer uses it.
//
// Source: https://docs.python.org/3/library/stdtypes.html#str.splitlines
func splitLines(s string) []string {
	lines := []string{} // not nil: it is written as []
	for s != "" {
		end := len(s)
		if i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"); i >= 0 {
			_, n := utf8.DecodeRuneInString(s[i:])
			if strings.HasPrefix(s[i:], "\r\n") {
				n = 2
			}
			end = i + n
		}
		lines, s = append(lines, s[:end]), s[end:]
	}
	return lines
}
