// Command measure runs a command and prints its wall time in seconds and its peak memory in MB.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: measure COMMAND [arguments]")
		os.Exit(2)
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	start := time.Now()
	err := cmd.Run()
	seconds := time.Since(start).Seconds()
	if err != nil {
		fmt.Fprintf(os.Stderr, "measure: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage) // Maxrss is in KiB on Linux
	fmt.Printf("%.4f %.1f\n", seconds, float64(usage.Maxrss)*1024/1e6)
}
