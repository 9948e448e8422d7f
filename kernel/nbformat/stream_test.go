package nbformat

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAppendStream: what is kept shows what a terminal shows, however the
// kernel cut the text into messages.
func TestAppendStream(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "a\nb\n", "a\nb\n"},
		{"progress", " 10%\r 50%\r100%\n", "100%\n"},
		{"shorter over longer", "abcdef\rxy\n", "xycdef\n"},
		{"cleared", "abcdef\r\x1b[Kxy\n", "xy\n"},
		{"open line", "10%\r", "10%\r"},
		{"cursor inside", "abcdef\rxy", "xycdef\rxy"},
		{"windows", "a\r\nb\r\n", "a\nb\n"},
		{"two returns", "a\r\r\n", "a\n"},
		{"backspace", "ab\b\bc\n", "cb\n"},
		{"backspace at the margin", "\b\ba\n", "a\n"},
		{"backspace at the end", "abc\b", "abc\rab"},
		{"unicode", "Ångström\rμ\n", "μngström\n"},
		{"not UTF-8", "\xff\xfe\rx\n", "x\xfe\n"},
		{"other lines stay", "keep\n1\r2\n3\r4\n", "keep\n2\n4\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := AppendStream(nil, "stdout", c.text)[0].Text(); got != c.want {
				t.Errorf("at once: got %q, want %q", got, c.want)
			}
			var outs []Output
			for i := range len(c.text) {
				outs = AppendStream(outs, "stdout", c.text[i:i+1])
			}
			if got := outs[0].Text(); len(outs) != 1 || got != c.want {
				t.Errorf("byte by byte: got %q in %d outputs, want %q", got, len(outs), c.want)
			}
		})
	}
}

// TestAppendStreamOrder: streams alternate as the kernel wrote them, and another
// output between them ends a stream.
func TestAppendStreamOrder(t *testing.T) {
	outs := AppendStream(nil, "stdout", "a")
	outs = AppendStream(outs, "stderr", "b")
	outs = AppendStream(outs, "stdout", "c")
	outs = AppendStream(append(outs, Display(nil, nil)), "stdout", "d")
	var got []string
	for _, o := range outs {
		got = append(got, o.Name()+o.Text())
	}
	if want := []string{"stdouta", "stderrb", "stdoutc", "", "stdoutd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSplitLines(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // of Python 3: text.splitlines(True)
	}{
		{"", []string{}},
		{"a", []string{"a"}},
		{"\n\n", []string{"\n", "\n"}},
		{"a\r\nb\rc\n\rd", []string{"a\r\n", "b\r", "c\n", "\r", "d"}},
		{"a\vb\fc\x1cd\x1de\x1ef\x1fg", []string{"a\v", "b\f", "c\x1c", "d\x1d", "e\x1e", "f\x1fg"}},
		{"a\u0085b\u2028c\u2029", []string{"a\u0085", "b\u2028", "c\u2029"}},
	} {
		got := splitLines(c.text)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
		if strings.Join(got, "") != c.text {
			t.Errorf("%q: the lines do not join to it", c.text)
		}
	}
}

// BenchmarkAppendStream: a progress line behind lines that are finished.
func BenchmarkAppendStream(b *testing.B) {
	for _, lines := range []int{1, 1000} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			outs := AppendStream(nil, "stdout", strings.Repeat("epoch 1  loss 0.5\n", lines))
			b.ReportAllocs()
			for b.Loop() {
				outs = AppendStream(outs, "stdout", "\rstep 10/100 loss 0.25")
			}
		})
	}
}
