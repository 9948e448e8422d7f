package spec

import "testing"

// What jupyter_core.paths.jupyter_data_dir of jupyter_core 5.9.1 returns for these environments.
func TestDataDir(t *testing.T) {
	tests := []struct {
		name, goos string
		env        map[string]string
		want       string
	}{
		{"variable", "linux", map[string]string{"JUPYTER_DATA_DIR": "/d", "HOME": "/h"}, "/d"},
		{"Linux", "linux", map[string]string{"HOME": "/h"}, "/h/.local/share/jupyter"},
		{"XDG", "linux", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/x/jupyter"},
		{"macOS", "darwin", map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/h/Library/Jupyter"},
		{"macOS, platform dirs", "darwin", map[string]string{"HOME": "/h", "JUPYTER_PLATFORM_DIRS": "1"},
			"/h/Library/Application Support/Jupyter"},
		{"macOS, platform dirs off", "darwin", map[string]string{"HOME": "/h", "JUPYTER_PLATFORM_DIRS": "False"},
			"/h/Library/Jupyter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := dataDir(test.goos, func(key string) string { return test.env[key] })
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if _, err := dataDir("linux", func(string) string { return "" }); err == nil {
		t.Error("no error without a home directory")
	}
}
