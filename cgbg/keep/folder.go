package keep

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
)

// Folder is where the steps of a run keep what they make.
type Folder struct{ dir string }

// OpenFolder makes the folder state/<key> below dir, or below a new temporary folder where dir is "". The key stands
// for the settings: other settings do not meet this one's checkpoints. Errors: a folder that cannot be made.
func OpenFolder(dir, key string) (Folder, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "cgbg")
		if err != nil {
			return Folder{}, fmt.Errorf("keep: %w", err)
		}
		dir = tmp
	}
	f := Folder{dir: filepath.Join(dir, "state", key)}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return f, fmt.Errorf("keep: the run's folder: %w", err)
	}
	return f, nil
}

// Path is that of a file in the folder.
func (f Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// JSON reads what an earlier run found from the same inputs into value, from a file of the folder, or finds it and
// keeps it; see [JSON].
func (f Folder) JSON(file, fingerprint string, value any, find func() error) error {
	return JSON(f.Path(file), fingerprint, value, find)
}

// Hash is a short fingerprint, 16 hexadecimal digits, for names of folders; cards of models have one of their
// settings and data, too.
func Hash(parts ...any) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%+v", parts)
	return fmt.Sprintf("%016x", h.Sum64())
}
