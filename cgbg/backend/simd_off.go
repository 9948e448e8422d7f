//go:build !(goexperiment.simd && amd64)

package backend

// builtWithSIMD tells whether the program was built with GOEXPERIMENT=simd.
const builtWithSIMD = false
