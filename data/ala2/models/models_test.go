package models

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// Every file is small, has its checksum in README.md, and a model has a card of data that is here.
func TestFiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(FS(), "*")
	if err != nil || len(names) < 9 {
		t.Fatalf("got %d files, %v", len(names), err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > 8<<20 {
			t.Errorf("%s: %d bytes", name, len(content))
		}
		if sum := fmt.Sprintf("| %s | `%x` |", name, sha256.Sum256(content)); !strings.Contains(string(readme), sum) {
			t.Errorf("README.md lacks the row %s", sum)
		}
		if strings.HasSuffix(name, ".npz") {
			checkCard(t, name)
		}
	}
}

func checkCard(t *testing.T, name string) {
	t.Helper()
	text, err := fs.ReadFile(FS(), name+".json")
	if err != nil {
		t.Errorf("%s has no card: %v", name, err)
		return
	}
	var card struct {
		Data, Kind string
		DataSHA    string `json:"data_sha256"`
		Steps      int
	}
	if err := json.Unmarshal(text, &card); err != nil {
		t.Fatalf("%s.json: %v", name, err)
	}
	target, _, _ := strings.Cut(name, "_")
	frames, err := os.ReadFile("../" + target + "/" + card.Data)
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(frames)); sum != card.DataSHA || card.Steps == 0 ||
		!strings.Contains(strings.Replace(name, "_mace_", "_pmf_", 1), "_"+card.Kind+"_") {
		t.Errorf("%s: the card names a %s of %s with SHA-256 %s after %d steps; the file's is %s", name, card.Kind,
			card.Data, card.DataSHA, card.Steps, sum)
	}
}

// Samples are those of the flow beside them, with weights that are worth a lot.
func TestSamples(t *testing.T) {
	names, err := fs.Glob(FS(), "*_samples_*.arrow")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %q, %v", names, err)
	}
	for _, name := range names {
		f, meta, err := data.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		flow, err := fs.ReadFile(FS(), strings.Replace(strings.TrimSuffix(name, ".arrow"), "_samples_", "_flow_",
			1)+".npz")
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(flow)); meta.SourceSHA != sum || f.Len() < 10000 ||
			len(f.LogW) != f.Len() {
			t.Errorf("%s: %d samples with %d weights of a flow with SHA-256 %s; that of the file is %s", name, f.Len(),
				len(f.LogW), meta.SourceSHA, sum)
		}
	}
}
