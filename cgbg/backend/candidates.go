package backend

import (
	"fmt"
	"strings"
)

// Candidate is a backend that could be used here, for a report on the installation.
type Candidate struct {
	Name   string // "xla:cuda", "xla:cpu" or "go"
	OK     bool   // usable as far as can be told without opening it
	Status string // what was found, and where it was looked for
	Advice string // what to do about what is missing; empty where nothing is
}

// Candidates lists the backends in the order of preference of Open, and what each lacks. It opens none: a plugin that
// is there may still fail to load, which OpenNamed tells.
func Candidates() []Candidate {
	list := []Candidate{xlaCandidate("cuda"), xlaCandidate("cpu")}
	g := Candidate{Name: "go", OK: true, Status: "GoMLX's own, on " + cpuModel()}
	switch {
	case simd():
		g.Status += ", with SIMD"
	case builtWithSIMD && CanSIMD():
		g.Status += ", SIMD switched off by GOMLX_SIMD_AVX512, GOMLX_SIMD_AVX2 or GOMLX_DOT_MATMUL"
	case CanSIMD():
		g.Status += ", built without SIMD"
		g.Advice = "build with GOEXPERIMENT=simd: 5 to 10 times faster (kernel sessions do)"
	default:
		g.Status += ", which has no AVX2"
	}
	return append(list, g)
}

func xlaCandidate(kind string) Candidate {
	c := Candidate{Name: "xla:" + kind}
	path := findPlugin(kind)
	gpu := kind == "cpu" || HasGPU()
	switch {
	case path != "" && !HasXLA:
		c.Status = "plugin " + path + ", but this program was built without cgo"
		c.Advice = "install a C compiler and build with CGO_ENABLED=1"
	case path != "" && gpu:
		c.OK, c.Status = true, "plugin "+path
	case path != "":
		c.Status = "plugin " + path + ", but no NVIDIA GPU found"
	default:
		c.Status = fmt.Sprintf("no plugin in %s", strings.Join(append([]string{PluginDir()}, otherDirs()...), ", "))
		if gpu {
			c.Advice = "go run ./kernel install -xla " + kind
		} else {
			c.Status += "; no NVIDIA GPU found either"
		}
	}
	return c
}
