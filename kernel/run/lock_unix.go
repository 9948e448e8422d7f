//go:build unix

package run

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the folder for this process; the system frees it when the process
// ends, in whatever way. The folder itself is locked, so that no file is left.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrBusy
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}
