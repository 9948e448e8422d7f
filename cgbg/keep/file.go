package keep

import (
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Create begins a file that appears under its name, whole and on the disk, when CloseAtomicallyReplace
// succeeds, and not before; Cleanup, which does nothing after that, drops it. Until then it stands beside its
// place, as .NAME and digits. The folder must be there. Errors: a folder that cannot be written.
func Create(path string, mode os.FileMode) (*renameio.PendingFile, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(mode))
}

// WriteFile replaces a file atomically: its content is the old one or the new one, whole. Folders that are
// missing are made. Errors: those of the folder and of writing, with the path.
func WriteFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}
