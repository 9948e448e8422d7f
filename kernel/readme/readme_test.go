package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cells of the notebook in the tests.
const cells = `{"cells": [
 {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Title\n\n## 1 Part\n"},
 {"cell_type": "code", "id": "b", "metadata": {}, "outputs": [], "execution_count": 1, 
  "source": "%%\n// Picture\nx() // not this\n// nor this"},
 {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "execution_count": 2, "source": "// Twice"},
 {"cell_type": "code", "id": "d", "metadata": {}, "outputs": [], "execution_count": 3, "source": "// Twice"}
], "metadata": {"kernelspec": {"name": "cgbg", "language": "go", "display_name": "Go"}},
"nbformat": 4, "nbformat_minor": 5}`

const results = `[
 {"name":"js","value":0.01327,"error":0.00072,"floor":0.013612,"unit":"nat","n":50000},
 {"name":"rare","value":1.3e-5,"error":1.1e-5,"floor":2.5e-5,"unit":null,"n":null},
 {"name":"hours","value":103.49,"error":null,"floor":null,"unit":"h","n":null},
 {"name":"verdict","value":"usable","error":null,"floor":null,"unit":null,"n":null},
 {"name":"nothing","value":null,"error":null,"floor":null,"unit":null,"n":null}
]`

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// folder has a notebook, its results, and a template.
func folder(t testing.TB, template string) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "01_one.ipynb"), cells)
	write(t, filepath.Join(dir, Results, "01.json"), results)
	write(t, filepath.Join(dir, Template), template)
	return dir
}

func TestRender(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{`{{value "01" "js"}}`, "0.01327 ± 0.00072"},
		{`{{score "01" "js"}}`, "0.01327 ± 0.00072 (0.01361)"},
		{`{{floor "01" "rare"}}`, "2.500e-5"},
		{`{{value "01" "hours"}}, {{near "01" "hours"}}`, "103.5, 103"},
		{`{{value "01" "verdict"}}`, "usable"},
		{`{{cell "01" "Picture"}}`, "[01](01_one.ipynb) *Picture*"},
		{`{{title "01" "1 Part"}}`, "1 Part"},
		{`{{define "x"}}{{near .nb (print .name "s")}}{{end}}{{template "x" (of "01" "hour")}}`, "103"},
		// What is not there, is said.
		{`{{value "01" "jz"}}`, `no result "jz"`},
		{`{{value "02" "js"}}`, "go run ./kernel readme"},
		{`{{value "01" "nothing"}}`, "no value"},
		{`{{floor "01" "hours"}}`, "no floor"},
		{`{{near "01" "verdict"}}`, "no number"},
		{`{{cell "01" "not this"}}`, `it has ["Title" "1 Part" "Picture" "Twice" "Twice"]`},
		{`{{cell "01" "Twice"}}`, "2 cells"},
		{`{{cell "02" "Picture"}}`, `0 notebooks are numbered "02"`},
		{`{{values "01" "js"}}`, "not defined"},
	} {
		got, err := Render(folder(t, c.template))
		if string(got) != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %q, %v, want %q", c.template, got, err, c.want)
		}
	}
}

// Results are taken over from finished runs with the page's parameters alone.
func TestTake(t *testing.T) {
	const marker = `{"notebook": %q, "parameters": "", "finished": %v}`
	const ran = `[{"name":"preset","value":%q}, {"name":"seed","value":%d}, {"name":"js","value":0.5}]`
	for _, c := range []struct{ name, marker, results, want string }{
		{"right", fmt.Sprintf(marker, "01_one.ipynb", true), fmt.Sprintf(ran, "quick", 1), ""},
		{"stopped", fmt.Sprintf(marker, "01_one.ipynb", false), fmt.Sprintf(ran, "quick", 1), "not finished"},
		{"small", fmt.Sprintf(marker, "01_one.ipynb", true), fmt.Sprintf(ran, "small", 1), "its preset is small"},
		{"seed 2", fmt.Sprintf(marker, "01_one.ipynb", true), fmt.Sprintf(ran, "quick", 2), "its seed 2"},
		{"nothing recorded", fmt.Sprintf(marker, "01_one.ipynb", true), "[]", "not recorded"},
		{"another notebook", fmt.Sprintf(marker, "02_two.ipynb", true), fmt.Sprintf(ran, "quick", 1), "02_two.ipynb"},
		{"no run", "", "[]", "not the folder of a run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, run := folder(t, `{{value "01" "js"}}`), t.TempDir()
			write(t, filepath.Join(run, "results.json"), c.results)
			if c.marker != "" {
				write(t, filepath.Join(run, "run.json"), c.marker)
			}
			_, err := Take(dir, run)
			page, renderErr := Render(dir)
			if renderErr != nil {
				t.Fatal(renderErr)
			}
			switch {
			case c.want == "" && (err != nil || string(page) != "0.5000"):
				t.Errorf("got %q, %v", page, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
				string(page) != "0.01327 ± 0.00072"):
				t.Errorf("got %v and %q, want %q and the results of before", err, page, c.want)
			}
		})
	}
}

func ExampleRender() {
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"results/06.json": `[{"name": "ess", "value": 0.5604, "error": 0.0113}]`,
		"README.md.tmpl":  `The samples are worth {{value "06" "ess"}} of as many independent ones.`,
	} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, []byte(text), 0o644)
	}
	page, err := Render(dir)
	fmt.Println(string(page), err)
	// Output: The samples are worth 0.560 ± 0.011 of as many independent ones. <nil>
}
