package session

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Roles that the test binary plays for its tests.
const (
	callerRole  = "__caller"  // folder, shell script: starts a kernel, and waits to be killed
	listensRole = "__listens" // name: says when it is interrupted
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case SuperviseArg:
			os.Exit(Supervise(os.Args[2:]))
		case callerRole:
			os.Exit(playCaller(os.Args[2], os.Args[3]))
		case listensRole:
			os.Exit(playListener(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// playCaller starts a kernel as a caller does. Its log is no file, so that the
// kernel and its supervisor write into a pipe that breaks with the caller.
func playCaller(dir, script string) int {
	s := &Session{Dir: dir, Env: markedEnv(dir)}
	if _, err := s.Start(filepath.Dir(dir), struct{ io.Writer }{io.Discard}, "/bin/sh", "-c", script); err != nil {
		fmt.Println(err)
		return 1
	}
	time.Sleep(time.Hour)
	return 0
}

// playListener is a kernel that starts the next of the names as its child, of
// the same process group, and says which signals it gets.
func playListener(names []string) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if len(names) > 1 {
		attr := &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}}
		if _, err := os.StartProcess(os.Args[0], append([]string{os.Args[0], listensRole}, names[1:]...),
			attr); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Printf("%s ready %d\n", names[0], os.Getpid())
	for s := range signals {
		fmt.Printf("%s: %v\n", names[0], s)
	}
	return 0
}

// markedEnv is the part of a session's environment that its processes are found by.
func markedEnv(dir string) []string {
	return append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
}
