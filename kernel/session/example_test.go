package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/kernel/session"
)

// The go.mod of a session names this module by its folder.
func ExampleRenderMod() {
	module, err := session.FindModule(".")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := session.RenderMod(module)
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "module ") || strings.Contains(line, session.ModulePath+" =>") {
			fmt.Print(strings.ReplaceAll(line, module, "/home/me/lab"))
		}
	}
	// Output:
	// module notebook.session
	// replace github.com/cgbg-go/lab => /home/me/lab
}

// A kernel runs until it is stopped. The program that starts it must call
// Supervise when its first argument is SuperviseArg.
func ExampleSession_Start() {
	run := func(s *session.Session) error {
		kernel, err := s.Start(".", os.Stderr, s.Tools.Gonb, "-kernel", filepath.Join(s.Dir, "connection.json"))
		if err != nil {
			return err
		}
		defer kernel.Stop()
		return kernel.Interrupt()
	}
	_ = run
}
