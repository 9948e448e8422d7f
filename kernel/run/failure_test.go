package run

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/kernel/nbformat"
)

// A place of a trace that GoNB met in two parts, and so left unmarked, is found
// by its source.
func TestUnmarkedPlace(t *testing.T) {
	program := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(program, []byte("package main\n\nfunc bad() {\n\tpanic(\"the reason\")\n}\nfunc main() "+
		"{\n\tbad()\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cells := []*nbformat.Cell{
		{Source: "func bad() {\n  panic(\"the reason\")\n}", ExecutionCount: 1},
		{Source: "%%\nbad()", ExecutionCount: 2},
	}
	const heading = "panic: the reason\n\ngoroutine 1 [running]:\n"
	for _, c := range []struct{ name, trace string }{
		{"marked", heading + "main.bad(...)\n\t [[ Cell [1] Line 2 ]] %[1]s:4\nmain.main()\n\t [[ Cell [2] Line 2 " +
			"]] %[1]s:7 +0xa5\n"},
		{"unmarked", heading + "main.bad(...)\n\t%[1]s:4\nmain.main()\n\t%[1]s:7 +0xa5\n"},
		{"half", heading + "main.bad(...)\n\t [[ Cell [1] Line 2 ]] %[1]s:4\nmain.main()\n\t%[1]s:7 +0xa5\n"},
	} {
		e := &CellError{Count: 2}
		message, where := explain(nbformat.Output{"evalue": "exit status 2"}, fmt.Sprintf(c.trace, program))
		e.locate(cells, where)
		if message != "panic: the reason" || e.Line != 2 || e.Source != "bad()" ||
			e.Inner != "in a function of In [1], line 2:\n     2 | "+"  panic(\"the reason\")" {
			t.Errorf("%s: got %q, %+v", c.name, message, e)
		}
	}
	gone := &CellError{Count: 2}
	_, where := explain(nbformat.Output{}, heading+"\t/no/such/main.go:7\n")
	if gone.locate(cells, where); gone.Line != 0 {
		t.Errorf("without the program: got line %d", gone.Line)
	}
}
