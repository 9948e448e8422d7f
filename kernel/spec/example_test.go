package spec_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/kernel/spec"
)

// The command that Jupyter starts is given with a place for its connection file.
func Example() {
	data, err := os.MkdirTemp("", "jupyter-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(data)
	before, had := os.LookupEnv(spec.DataDirEnv)
	os.Setenv(spec.DataDirEnv, data)
	defer func() {
		os.Setenv(spec.DataDirEnv, before)
		if !had {
			os.Unsetenv(spec.DataDirEnv)
		}
	}()

	binary, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := spec.Install(binary, "/home/me/lab", "launch", "-connection", "{connection_file}"); err != nil {
		fmt.Println(err)
		return
	}
	s, err := spec.Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.DisplayName, filepath.Base(s.Program()), s.Argv[1:], s.Metadata.Module)
	// Output: Go (cgbg) cgbg-kernel [launch -connection {connection_file}] /home/me/lab
}
