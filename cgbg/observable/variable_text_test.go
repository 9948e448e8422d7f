package observable

import (
	"regexp"
	"strings"
	"testing"
)

// The help has every variable of the table in its form, every column, and nothing else.
func TestVariableFormat(t *testing.T) {
	_, list, _ := strings.Cut(VariableFormat, "one of\n")
	list, _, _ = strings.Cut(list, "\nBeads ")
	told := map[string]bool{}
	for line := range strings.Lines(list) {
		forms, _, _ := strings.Cut(strings.TrimSpace(line), "   ") // what it is stands behind
		for _, form := range regexp.MustCompile(`[^\s,()]+(\([^)]*\))?`).FindAllString(forms, -1) {
			told[form] = true
		}
	}
	for word, k := range kinds {
		if bare, _, _ := strings.Cut(k.form, "("); bare != word {
			t.Errorf("%s has the form %s", word, k.form)
		}
		if !told[k.form] {
			t.Errorf("the help lacks %s", k.form)
		}
		delete(told, k.form)
	}
	for column := range columnUnits {
		if !told[column] {
			t.Errorf("the help lacks %s", column)
		}
		delete(told, column)
	}
	for form := range told {
		t.Errorf("the help has %s, which is no variable", form)
	}
}
