package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// SuperviseArg is the hidden first argument with which a program that starts
// kernels must call [Supervise].
const SuperviseArg = "__supervise"

// A kernel runs under a supervisor, a second process of this program. It is a
// process session of its own, adopts the kernel's orphans (Linux), and holds
// the reading end of a pipe. When the kernel ends, or the pipe closes because
// the caller ended in whatever way, it kills all that is left and removes the
// session's folder. One byte on the pipe asks it to interrupt the kernel.

// Process is a running kernel under its supervisor.
type Process struct {
	cmd  *exec.Cmd
	pipe *os.File
	once sync.Once
	done chan struct{}
	err  error
}

// Start runs args (a kernel's command line) under a supervisor, with the
// session's environment in folder dir. log gets what it writes.
func (s *Session) Start(dir string, log io.Writer, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	defer read.Close()
	cmd := exec.Command(self, append([]string{SuperviseArg, s.Dir}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, s.Env, log, log
	cmd.ExtraFiles = []*os.File{read}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = time.Second // a stray writer to log must not hold us
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, fmt.Errorf("session: starting the kernel: %w", err)
	}
	p := &Process{cmd: cmd, pipe: write, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		killMarked(s.Dir) // the supervisor may have been killed before its work
		p.hangUp()
		close(p.done)
	}()
	return p, nil
}

// Interrupt asks the kernel to interrupt its cell.
func (p *Process) Interrupt() error {
	if _, err := p.pipe.Write([]byte{'i'}); err != nil {
		return fmt.Errorf("session: interrupting the kernel: %w", err)
	}
	return nil
}

// Done is closed when kernel and supervisor have ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop ends the kernel and all it started, and waits until they are gone.
func (p *Process) Stop() {
	p.hangUp()
	<-p.done
}

func (p *Process) hangUp() { p.once.Do(func() { p.pipe.Close() }) }

// Err tells how the kernel ended, after Done.
func (p *Process) Err() error { return p.err }

// pipeFD is where the supervisor finds its pipe.
const pipeFD = 3

// Supervise is the supervisor's program: args are the session's folder and the
// kernel's command line. It returns the exit code.
func Supervise(args []string) int {
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "session: the supervisor is started by the program itself")
		return 2
	}
	dir := args[0]
	// The pipe decides, and a log that nobody reads any more must not end us.
	// Ignored signals would stay ignored in the kernel; caught ones do not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGPIPE)
	syscall.CloseOnExec(pipeFD)
	defer os.RemoveAll(dir)
	adoptOrphans()
	kernel := exec.Command(args[1], args[2:]...)
	kernel.Stdout, kernel.Stderr = os.Stdout, os.Stderr
	kernel.SysProcAttr = kernelAttributes()
	if err := kernel.Start(); err != nil {
		fmt.Fprintf(os.Stderr, "session: starting the kernel: %v\n", err)
		return 1
	}
	// The kernel's process id stands where a test, and a curious user, finds it.
	os.WriteFile(filepath.Join(dir, "kernel.pid"), []byte(strconv.Itoa(kernel.Process.Pid)), 0o600)
	ended := make(chan error, 1)
	go func() { ended <- kernel.Wait() }()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pipe := os.NewFile(pipeFD, "pipe")
		for b := []byte{0}; ; {
			if _, err := pipe.Read(b); err != nil {
				return
			}
			kernel.Process.Signal(os.Interrupt)
		}
	}()
	select {
	case err := <-ended:
		killDescendants(kernel.Process.Pid)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			fmt.Fprintf(os.Stderr, "session: the kernel ended: %v\n", err)
			return 1
		}
		return 0
	case <-closed:
		killDescendants(kernel.Process.Pid)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		return 0
	}
}
