package notebooks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	recorded "github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/readme"
)

// The page is what its template and the results give: every name in it is of a result, every cell is there.
func TestREADMEIsCurrent(t *testing.T) {
	want, err := readme.Render(".")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(readme.Page)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is not what %s and %s give, %v: go run ./kernel readme", readme.Page, readme.Template,
			readme.Results, err)
	}
}

// paper has the panels of every figure, "" where it has none, and the tables.
var paper = map[string]string{"Figure 1": "", "Figure 2": "abcd", "Figure 3": "abcd", "Figure 4": "abcd",
	"Figure 5": "ab", "Figure 6": "abc", "Figure 7": "abc", "Figure 8": "abc", "Figure 9": "abc", "Figure 10": "abc",
	"Figure 11": "abc",
	"Figure 12": "abc", "Figure 13": "abcd", "Figure 14": "abcd",
	"Table 1": "", "Table 2": "", "Table 3": "", "Table 4": "", "Table 5": "", "Table 6": ""}

// Every panel and table of the paper has its row, with the cell that makes it, or the word that none does yet.
func TestREADMEHasAllOfThePaper(t *testing.T) {
	page, err := os.ReadFile(readme.Page)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for name, panels := range paper {
		if panels == "" {
			want[name] = true
		}
		for _, p := range panels {
			want[name+string(p)] = true
		}
	}
	number := regexp.MustCompile(`^(\d+)([a-d]?)$`)
	for line := range strings.Lines(string(page)) {
		columns := strings.Split(line, " | ")
		kind, list, ok := strings.Cut(strings.TrimPrefix(columns[0], "| "), " ")
		if !ok || kind != "Figure" && kind != "Table" {
			continue
		}
		if len(columns) != 4 ||
			!regexp.MustCompile(`\.ipynb\) \*|\.svg\)|^the same cell|^not yet`).MatchString(columns[1]) {
			t.Errorf("%q: %d columns, made by %q; want 4, and a cell", columns[0], len(columns), columns[1])
		}
		for _, word := range strings.Split(list, ", ") {
			if name := kind + " " + word; number.MatchString(word) {
				if got[name] = true; !want[name] {
					t.Errorf("%s is not in the paper", name)
				}
			}
		}
	}
	for name := range want {
		if !got[name] {
			t.Errorf("%s has no row", name)
		}
	}
}

// The results are those that the committed notebooks show, of the run that the page tells of.
func TestREADMEShowsTheNotebooks(t *testing.T) {
	for _, name := range all(t) {
		nb, err := nbformat.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := recorded.Read(filepath.Join(readme.Results, name[:2]+".json"))
		if err != nil {
			t.Fatal(err)
		}
		shown := rows(nb)
		same := 0
		for _, e := range entries {
			got, ok := shown[e.Name]
			if want := packed(inWords(e)); !ok {
				continue
			} else if !strings.HasPrefix(got, want) {
				t.Errorf("%s shows %s = %s, its results have %s: take those of its run (go run ./kernel readme -h)",
					name, e.Name, got, want)
			}
			same++
		}
		if same < len(shown) || same < 4 || shown["preset"] != "quick" || shown["seed"] != "1" {
			t.Errorf("%s shows %d results, of preset %s and seed %s; %d of them are in %s", name, len(shown),
				shown["preset"], shown["seed"], same, readme.Results)
		}
	}
}

// rows are the last table of results that a notebook shows: what follows the name, packed.
func rows(nb *nbformat.Notebook) map[string]string {
	list := map[string]string{}
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			lines := strings.Split(o.Text(), "\n")
			if !strings.HasPrefix(lines[0], "result ") || len(lines) < 3 {
				continue
			}
			clear(list)
			for _, line := range lines[2:] {
				if name, rest, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
					list[name] = packed(rest)
				}
			}
		}
	}
	return list
}

// packed is text without spaces: tables align numbers with them.
func packed(text string) string { return strings.Join(strings.Fields(text), "") }

// inWords is a result as tables have it.
func inWords(e recorded.Entry) string {
	var x float64
	if _, err := fmt.Sscan(fmt.Sprint(e.Value), &x); err != nil {
		return fmt.Sprint(e.Value)
	}
	if e.Error != nil {
		return recorded.Measured{Value: x, Error: *e.Error}.String()
	}
	return recorded.Plain(x)
}
