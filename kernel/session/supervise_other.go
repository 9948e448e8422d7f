//go:build unix && !linux

package session

import "syscall"

// adoptOrphans has no counterpart outside Linux; the process group remains.
func adoptOrphans() {}

func kernelAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killDescendants kills the kernel's process group, which cells belong to.
func killDescendants(kernel int) { syscall.Kill(-kernel, syscall.SIGKILL) }

// killMarked has no counterpart outside Linux.
func killMarked(string) {}
