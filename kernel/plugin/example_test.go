package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cgbg-go/lab/kernel/plugin"
)

func Example() {
	err := plugin.Install(context.Background(), "abacus", io.Discard) // "cpu" or "cuda" fetch a plugin
	fmt.Println(errors.Is(err, plugin.ErrPlatform))
	// Output: true
}
