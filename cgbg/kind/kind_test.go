package kind

import (
	"fmt"
	"strings"
	"testing"
)

// sizes of three names.
func sizes(width, layers, heads int) []Size {
	return []Size{{"width", &width}, {"layers", &layers}, {"heads", &heads}}
}

func TestFill(t *testing.T) {
	for _, c := range []struct {
		name            string
		given, defaults []Size
		widthAlone      bool
		want            string // the sizes, or a part of the message
	}{
		{"none", sizes(0, 0, 0), sizes(8, 2, 0), true, "width 8, layers 2"},
		{"none, together", sizes(0, 0, 0), sizes(8, 2, 4), false, "width 8, layers 2, heads 4"},
		{"a width", sizes(5, 0, 0), sizes(8, 2, 0), true, "width 5, layers 2"},
		{"all", sizes(5, 1, 1), sizes(8, 2, 4), false, "width 5, layers 1, heads 1"},
		{"a width alone", sizes(5, 0, 0), sizes(8, 2, 4), false, "that belong together, width 8, layers 2, heads 4"},
		{"not had", sizes(0, 0, 3), sizes(8, 2, 0), true, "a net has no heads: its sizes are width 8, layers 2"},
		{"negative", sizes(0, -1, 0), sizes(8, 2, 0), true, "layers -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Fill("a net", c.given, c.defaults, c.widthAlone); err != nil {
				got = err.Error()
			} else if got = List(c.given); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func ExampleFind() {
	table := []string{"cat", "dog"}
	nameOf := func(s string) string { return s }
	fmt.Println(Find(table, nameOf, "zoo: no animal", "dog"))
	_, err := Find(table, nameOf, "zoo: no animal", "emu")
	fmt.Println(err)
	// Output:
	// dog <nil>
	// zoo: no animal "emu": choose one of cat, dog
}
