package session

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes descendants whose parents died children of this process.
func adoptOrphans() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// kernelAttributes put the kernel into a process group of its own, and end it
// with its supervisor.
func kernelAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killDescendants kills all descendants of this process until none is left:
// orphans come to us, so that each pass sees the next generation, and whoever
// has no child has no descendant. A look at /proc would not tell: a process may
// fork and end while we look. The time is for processes that hold a GPU.
func killDescendants(int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, pid := range descendants(os.Getpid()) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.ECHILD) {
				return
			}
			if pid == 0 { // those who are left are still ending
				break
			}
		}
	}
}

// descendants lists the living descendants of a process.
func descendants(root int) []int {
	parents := map[int]int{}
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range entries {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// pid (comm) state ppid …; comm may hold anything, so look behind the last bracket.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 2 || fields[0][0] == 'Z' {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parents[pid], _ = strconv.Atoi(string(fields[1]))
	}
	var out []int
	for pid := range parents {
		for p := parents[pid]; p > 0; p = parents[p] {
			if p == root {
				out = append(out, pid)
				break
			}
		}
	}
	return out
}

// killMarked kills the processes that run in a session, by the TMPDIR they
// inherit from it: those whose supervisor was killed itself.
func killMarked(session string) {
	mark := []byte("\x00TMPDIR=" + filepath.Join(session, "tmp") + "\x00")
	for range 200 {
		left := 0
		names, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, name := range names {
			env, err := os.ReadFile(name) // empty for zombies
			if err != nil || !bytes.Contains(append([]byte{0}, env...), mark) {
				continue
			}
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if pid == os.Getpid() {
				continue
			}
			left++
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if left == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
