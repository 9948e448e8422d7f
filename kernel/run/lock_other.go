//go:build !unix

package run

// lock does nothing: GoNB does not run here.
func lock(string) (unlock func(), err error) { return func() {}, nil }
