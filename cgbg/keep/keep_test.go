package keep

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
)

type found struct {
	N     int
	Share float64
}

// An entry is taken up under its own fingerprint alone; others, and what is no entry, are made anew.
func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "found.json")
	calls := 0
	get := func(fingerprint string) found {
		t.Helper()
		var v found
		if err := JSON(path, fingerprint, &v, func() error {
			calls++
			v = found{calls, 0.5}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, step := range []struct {
		fingerprint string
		want        int
	}{{"a", 1}, {"a", 1}, {"b", 2}, {"a", 3}, {"a", 3}} {
		if got, want := get(step.fingerprint), (found{step.want, 0.5}); got != want {
			t.Errorf("under %q: got %+v, want %+v", step.fingerprint, got, want)
		}
	}
	for k, text := range []string{"", "{", `[1, 2]`, `{"N": 7, "Share": 1}`, `{"fingerprint": "a", "value": null}`} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, want := get("a").N, 4+k; got != want {
			t.Errorf("after %q: got value %d, want %d", text, got, want)
		}
	}
}

// What cannot be found or kept is an error, and leaves no file.
func TestJSONErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "found.json")
	var v found
	stop := errors.New("stopped")
	if err := JSON(path, "a", &v, func() error { return stop }); err != stop {
		t.Errorf("got %v, want the error of find", err)
	}
	if err := JSON(path, "a", &v, func() error { v.Share = math.NaN(); return nil }); err == nil {
		t.Error("NaN: got no error")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"fingerprint": "a", "value": "text"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := JSON(path, "a", &v, func() error { return nil }); err == nil {
		t.Error("a value of another type: got no error")
	}
}

// Every input counts, with its type, its fields' names and its place.
func TestFingerprint(t *testing.T) {
	type other struct{ N, Share float64 }
	seen := map[string]int{}
	for k, inputs := range [][]any{
		{}, {""}, {"a", "b"}, {"b", "a"}, {"ab"}, {"a b"}, {"a", "b", ""}, {1}, {1.0}, {"1"}, {uint64(1)},
		{found{1, 2}}, {other{1, 2}}, {[]float64{1, 2}}, {[]float64{1}, []float64{2}}, {1e-9}, {1.0000000001e-9},
	} {
		sum := Fingerprint(inputs...)
		if before, there := seen[sum]; there {
			t.Errorf("inputs %d and %d have one fingerprint", before, k)
		}
		if seen[sum] = k; sum != Fingerprint(inputs...) {
			t.Errorf("inputs %v: two fingerprints", inputs)
		}
	}
}
