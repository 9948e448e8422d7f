package jupyter_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/kernel/jupyter"
)

// A client asks for a connection that is not answered.
func Example() {
	dir, err := os.MkdirTemp("", "cgbg")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	conn := jupyter.NewConnection(dir)
	if err := conn.WriteFile(filepath.Join(dir, "connection.json")); err != nil {
		fmt.Println(err)
		return
	}
	// Here a kernel would be started with the connection file. There is none:
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fmt.Errorf("no kernel was started"))
	_, err = jupyter.Dial(ctx, conn)
	fmt.Println(err)
	// Output: jupyter: the kernel has not opened its sockets: no kernel was started
}

// A client runs a cell, and reads until its answer.
func ExampleClient_Execute() {
	run := func(client *jupyter.Client) error {
		id, err := client.Execute("%%\nfmt.Println(42)", false)
		if err != nil {
			return err
		}
		for m := range client.Shell {
			if m.Parent.ID == id {
				fmt.Printf("%s: %s\n", m.Header.Type, m.Content)
				return nil
			}
		}
		return fmt.Errorf("the kernel ended")
	}
	_ = run
}
