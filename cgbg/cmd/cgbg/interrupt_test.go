package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

const interruptArg = "CGBG_TEST_INTERRUPT"

// An interrupt ends a command that looks at its context, and one that does not; both with 130.
func TestInterrupted(t *testing.T) {
	if name := os.Getenv(interruptArg); name != "" {
		commands["polite"] = func(ctx context.Context, _ []string, stdout io.Writer) error {
			fmt.Fprintln(stdout, "begun")
			<-ctx.Done()
			return fmt.Errorf("stopped: %w", ctx.Err())
		}
		commands["deaf"] = func(_ context.Context, _ []string, stdout io.Writer) error {
			fmt.Fprintln(stdout, "begun")
			for n := 0; ; n++ { // as compiled code runs, without a look around
			}
		}
		os.Args = []string{"cgbg", name}
		main()
	}
	for _, name := range []string{"polite", "deaf"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestInterrupted$")
		cmd.Env = append(os.Environ(), interruptArg+"="+name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
			t.Fatalf("%s: got %q, %v", name, line, err)
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		stuck.Stop()
		if got := cmd.ProcessState.ExitCode(); got != 130 {
			t.Errorf("%s: got exit code %d, want 130", name, got)
		}
	}
}

// Recipes wait for GROMACS, all others end within a second.
func TestPatience(t *testing.T) {
	for name := range commands {
		if got := patience([]string{name}); (got < time.Second) == (name == "recipe") {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if got := patience(nil); got >= time.Second {
		t.Errorf("got %v", got)
	}
}
