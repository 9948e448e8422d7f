package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	"golang.org/x/sys/cpu"
)

// simd reports whether GoMLX's Go backend uses its vector code: the program was built with GOEXPERIMENT=simd, the
// processor has AVX2 or AVX-512, and GoMLX's own switches do not forbid it. The conditions are those of
// compute v0.1.3, gobackend/dot/matmul (avx2.go, avx512.go).
func simd() bool {
	return builtWithSIMD && allowed("GOMLX_DOT_MATMUL") &&
		(hasAVX512() && allowed("GOMLX_SIMD_AVX512") || hasAVX2() && allowed("GOMLX_SIMD_AVX2"))
}

// CanSIMD reports whether this processor runs the Go backend's vector code, given a program built for it.
func CanSIMD() bool { return runtime.GOARCH == "amd64" && (hasAVX512() || hasAVX2()) }

// simdAdvice says how to get the vector code, where the processor has it and the program was not built for it.
func simdAdvice() string {
	if builtWithSIMD || !CanSIMD() {
		return ""
	}
	return ": GOEXPERIMENT=simd makes it 5 to 10 times faster"
}

func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

func hasAVX512() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512CD && cpu.X86.HasAVX512DQ &&
		cpu.X86.HasAVX512VL
}

// allowed reads one of GoMLX's switches: on unless the variable says no.
func allowed(name string) bool {
	switch strings.ToLower(os.Getenv(name)) {
	case "0", "false", "f", "no", "off", "disabled":
		return false
	}
	return true
}

// cpuModel returns the processor's name, or its architecture where the system does not tell.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// HasGPU reports whether there is an NVIDIA GPU: a device file, or WSL's (/dev/dxg).
func HasGPU() bool {
	found, _ := filepath.Glob("/dev/nvidia[0-9]*")
	if len(found) == 0 {
		found, _ = filepath.Glob("/dev/dxg")
	}
	return len(found) > 0
}

// xlaDevice names what an XLA backend computes on. The driver's own name of a GPU says more than PJRT's.
func xlaDevice(b compute.Backend, kind string) string {
	switch kind {
	case "cpu":
		return fmt.Sprintf("%d threads of %s", runtime.NumCPU(), cpuModel())
	case "cuda":
		files, _ := filepath.Glob("/proc/driver/nvidia/gpus/*/information")
		for _, file := range files {
			info, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(info)) {
				if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "Model" {
					return strings.TrimSpace(value)
				}
			}
		}
	}
	return b.DeviceDescription(0)
}
