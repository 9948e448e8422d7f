package session

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// family is a kernel that leaves processes in sessions of their own behind it:
// one, and a second whose parent has ended.
const family = `setsid sleep 1000 & (setsid sh -c "sleep 1000 & exec sleep 1000" &); `

// sleepers is how many processes named sleep family starts.
const sleepers = 3

type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func await(t *testing.T, what func() string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what())
		}
	}
}

// sessionDir makes the folder of a session, and ends what a failed test leaves.
func sessionDir(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("there is no setsid command (util-linux), which the test's kernel starts its processes with")
	}
	dir := filepath.Join(t.TempDir(), "s")
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killMarked(dir) })
	return dir
}

// members lists the living processes of a session, as "pid name".
func members(dir string) []string {
	var out []string
	names, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range names {
		env, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(env, []byte("TMPDIR="+filepath.Join(dir, "tmp")+"\x00")) {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "comm"))
		out = append(out, filepath.Base(filepath.Dir(name))+" "+strings.TrimSpace(string(comm)))
	}
	return out
}

// awaitFamily waits until all that family starts is there.
func awaitFamily(t *testing.T, dir string) {
	t.Helper()
	what := func() string { return fmt.Sprintf("%d sleepers in %q", sleepers, members(dir)) }
	await(t, what, func() bool {
		n := 0
		for _, m := range members(dir) {
			if strings.HasSuffix(m, " sleep") {
				n++
			}
		}
		return n >= sleepers
	})
}

// checkGone waits until no process of the session is left, and no folder.
func checkGone(t *testing.T, dir string) {
	t.Helper()
	await(t, func() string { return fmt.Sprintf("the end of %q", members(dir)) },
		func() bool { return len(members(dir)) == 0 })
	await(t, func() string { return "the removal of " + dir }, func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	})
}

func awaitDone(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatal("the supervisor has not ended")
	}
}

func kernelPID(t *testing.T, dir string) int {
	t.Helper()
	var pid int
	await(t, func() string { return "kernel.pid" }, func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "kernel.pid"))
		pid, _ = strconv.Atoi(string(text))
		return pid > 0
	})
	return pid
}

// TestNothingOutlives: however a kernel ends, nothing of it stays.
func TestNothingOutlives(t *testing.T) {
	for _, c := range []struct {
		name, script string
		end          func(t *testing.T, p *Process, dir string)
		fails        bool // Err is not nil
	}{
		{"stop", family + "wait", func(t *testing.T, p *Process, dir string) {
			p.Stop()
			if left := members(dir); len(left) > 0 {
				t.Errorf("left after Stop: %q", left)
			}
			p.Stop()
		}, false},
		{"kernel killed", family + "wait", func(t *testing.T, p *Process, dir string) {
			syscall.Kill(kernelPID(t, dir), syscall.SIGKILL)
		}, true},
		{"kernel ends", family + "while [ ! -e end ]; do sleep 0.02; done; exit 0", endByFile, false},
		{"kernel fails", family + "while [ ! -e end ]; do sleep 0.02; done; exit 3", endByFile, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := sessionDir(t)
			s := &Session{Dir: dir, Env: markedEnv(dir)}
			var out log
			p, err := s.Start(filepath.Dir(dir), &out, "/bin/sh", "-c", c.script)
			if err != nil {
				t.Fatal(err)
			}
			awaitFamily(t, dir)
			c.end(t, p, dir)
			awaitDone(t, p)
			checkGone(t, dir)
			if got := p.Err() != nil; got != c.fails {
				t.Errorf("ended with %v, want an error: %v; its log: %s", p.Err(), c.fails, out.String())
			}
			if err := p.Interrupt(); err == nil {
				t.Error("a process that ended was interrupted")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// endByFile lets a kernel that waits for the file end itself.
func endByFile(t *testing.T, _ *Process, dir string) {
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSupervisorKilled: then the caller ends what is left, and Close removes
// the folder.
func TestSupervisorKilled(t *testing.T) {
	dir := sessionDir(t)
	s := &Session{Dir: dir, Env: markedEnv(dir)}
	p, err := s.Start(filepath.Dir(dir), &log{}, "/bin/sh", "-c", family+"wait")
	if err != nil {
		t.Fatal(err)
	}
	awaitFamily(t, dir)
	p.cmd.Process.Kill()
	awaitDone(t, p)
	if p.Err() == nil {
		t.Error("there is no error")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	checkGone(t, dir)
}

// TestCallerKilled: the caller cannot clean up when it is killed.
func TestCallerKilled(t *testing.T) {
	for name, script := range map[string]string{
		"quiet kernel":   family + "wait",
		"writing kernel": family + "while echo working; do sleep 0.01; done",
	} {
		t.Run(name, func(t *testing.T) {
			dir := sessionDir(t)
			caller := exec.Command(os.Args[0], callerRole, dir, script)
			if err := caller.Start(); err != nil {
				t.Fatal(err)
			}
			awaitFamily(t, dir)
			caller.Process.Kill()
			caller.Wait()
			checkGone(t, dir)
		})
	}
}

// TestInterrupt: the kernel alone is interrupted, not the cell it runs, and no
// signal to the supervisor, as from a terminal, ends anything.
func TestInterrupt(t *testing.T) {
	dir := sessionDir(t)
	s := &Session{Dir: dir, Env: markedEnv(dir)}
	var out log
	p, err := s.Start(filepath.Dir(dir), &out, os.Args[0], listensRole, "kernel", "cell")
	if err != nil {
		t.Fatal(err)
	}
	says := func(n int, text string) {
		t.Helper()
		await(t, func() string { return fmt.Sprintf("%d times %q in\n%s", n, text, out.String()) },
			func() bool { return strings.Count(out.String(), text) == n })
	}
	says(1, "kernel ready ")
	says(1, "cell ready ")
	for n := range 3 {
		if err := p.Interrupt(); err != nil {
			t.Fatal(err)
		}
		says(n+1, "kernel: interrupt\n")
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
			p.cmd.Process.Signal(sig)
		}
	}
	// Had the cell got an interrupt, it would say so before what comes now.
	cell, err := strconv.Atoi(regexp.MustCompile(`cell ready (\d+)`).FindStringSubmatch(out.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(cell, syscall.SIGTERM)
	says(1, "cell: terminated\n")
	says(0, "cell: interrupt\n")
	says(0, "kernel: terminated\n")
	p.Stop()
	checkGone(t, dir)
}

// TestInherited: a kernel begins with no signal ignored, and without the
// supervisor's pipe.
func TestInherited(t *testing.T) {
	dir := sessionDir(t)
	s := &Session{Dir: dir, Env: markedEnv(dir)}
	var out log
	p, err := s.Start(filepath.Dir(dir), &out, "/bin/sh", "-c",
		"grep SigIgn /proc/$$/status; test -e /proc/$$/fd/3 && echo leaked; pwd")
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, p)
	found := regexp.MustCompile(`SigIgn:\s*([0-9a-f]+)`).FindStringSubmatch(out.String())
	if found == nil {
		t.Fatalf("got %s", out.String())
	}
	mask, err := strconv.ParseUint(found[1], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE} {
		if mask>>(sig-1)&1 != 0 {
			t.Errorf("the kernel ignores %v", sig)
		}
	}
	if strings.Contains(out.String(), "leaked") {
		t.Error("the kernel holds the supervisor's pipe")
	}
	if want := filepath.Dir(dir) + "\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("it runs in %s, want %s", out.String(), want)
	}
}

func TestStartErrors(t *testing.T) {
	dir := sessionDir(t)
	s := &Session{Dir: dir, Env: markedEnv(dir)}
	if _, err := s.Start(filepath.Join(dir, "none"), &log{}, "/bin/sh"); err == nil {
		t.Error("a kernel started in a missing folder")
	}
	var out log
	p, err := s.Start(filepath.Dir(dir), &out, filepath.Join(dir, "none"))
	if err != nil {
		t.Fatal(err)
	}
	awaitDone(t, p)
	if p.Err() == nil || !strings.Contains(out.String(), "starting the kernel") {
		t.Errorf("no such kernel: got %v, %s", p.Err(), out.String())
	}
	checkGone(t, dir)
}
