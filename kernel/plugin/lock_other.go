//go:build !unix

package plugin

import "context"

// lock does nothing: no plugin is offered for these systems.
func lock(context.Context, string) (func(), error) { return func() {}, nil }
