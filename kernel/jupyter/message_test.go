package jupyter

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSign: RFC 4231, test case 2, with the data in pieces.
func TestSign(t *testing.T) {
	got := sign([]byte("Jefe"), [][]byte{[]byte("what do ya "), []byte("want for"), nil, []byte(" nothing?")})
	if want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// frames of a message as a ROUTER socket delivers it: an identity comes first.
func frames(t testing.TB, key string, h Header, content any) [][]byte {
	t.Helper()
	msg, err := encode([]byte(key), h, content)
	if err != nil {
		t.Fatal(err)
	}
	return append([][]byte{[]byte("identity")}, msg.Frames...)
}

func TestEncodeDecode(t *testing.T) {
	h := newHeader("session", "execute_request")
	got, err := decode([]byte("key"), frames(t, "key", h, map[string]string{"code": "a <- \"μ\""}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header != h || got.Parent != (Header{}) || len(got.Metadata) != 0 {
		t.Errorf("got %+v, want the header %+v and nothing else", got, h)
	}
	var content struct{ Code string }
	if err := json.Unmarshal(got.Content, &content); err != nil || content.Code != `a <- "μ"` {
		t.Errorf("content: got %s (%v)", got.Content, err)
	}
	if other := newHeader("session", "execute_request"); other.ID == h.ID || h.ID == "" {
		t.Errorf("two messages have the id %q", h.ID)
	}
	if _, err := encode(nil, h, func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// TestTampered: no part of a message can change unseen.
func TestTampered(t *testing.T) {
	whole := frames(t, "key", newHeader("s", "status"), map[string]string{"execution_state": "idle"})
	if _, err := decode([]byte("other"), whole); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: got %v, want %v", err, ErrSignature)
	}
	for i := 2; i < len(whole); i++ { // 0: identity, 1: delimiter
		bad := slices.Clone(whole)
		bad[i] = append(bytes.Clone(bad[i]), ' ')
		if _, err := decode([]byte("key"), bad); !errors.Is(err, ErrSignature) {
			t.Errorf("frame %d: got %v, want %v", i, err, ErrSignature)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	whole := frames(t, "key", newHeader("s", "status"), nil)
	for n := range whole {
		if _, err := decode([]byte("key"), whole[:n]); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%d of %d frames: got %v, want an error of its own", n, len(whole), err)
		}
	}
	if _, err := decode([]byte("key"), slices.Concat(whole[:1], whole[2:], whole[:1])); err == nil {
		t.Error("a message without delimiter was read")
	}
	for i := range 3 {
		parts := [][]byte{[]byte("{}"), []byte("{}"), []byte("{}"), []byte("{}")}
		parts[i] = []byte("[")
		signed := append([][]byte{[]byte(delimiter), []byte(sign([]byte("key"), parts))}, parts...)
		if _, err := decode([]byte("key"), signed); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("part %d not JSON: got %v, want an error of its own", i, err)
		}
	}
}

// FuzzDecode: no frames make decode panic, and none pass without the key.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("{}"), []byte("{}"), []byte("{}"), []byte("{}"), []byte(""))
	f.Add([]byte(`{"msg_id": "1"}`), []byte(`{"date": null}`), []byte("null"), []byte(`{"a": []}`), []byte(delimiter))
	f.Fuzz(func(t *testing.T, header, parent, metadata, content, signature []byte) {
		parts := [][]byte{header, parent, metadata, content}
		key := []byte("key")
		decode(key, append([][]byte{[]byte(delimiter), []byte(sign(key, parts))}, parts...))
		if m, err := decode(key, append([][]byte{[]byte(delimiter), signature}, parts...)); err == nil &&
			string(signature) != sign(key, parts) {
			t.Fatalf("accepted %+v", m)
		}
	})
}

func TestConnection(t *testing.T) {
	dir := t.TempDir()
	c := NewConnection(dir)
	path := filepath.Join(dir, "connection.json")
	if err := c.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != 0o600 {
		t.Errorf("mode: got %v, want 0600: it holds the key", got)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Names: https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"transport": "ipc", "ip": filepath.Join(dir, "s"), "shell_port": 1.0,
		"iopub_port": 2.0,
		"stdin_port": 3.0, "control_port": 4.0, "hb_port": 5.0, "key": c.Key, "signature_scheme": "hmac-sha256"} {
		if got := fields[name]; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if len(c.Key) != 32 || c.Key == NewConnection(dir).Key {
		t.Errorf("key %q: want 128 random bits", c.Key)
	}
	if got, want := c.address(c.IOPub), "ipc://"+filepath.Join(dir, "s-2"); got != want {
		t.Errorf("address: got %s, want %s", got, want)
	}
	if got, want := (Connection{Transport: "tcp", IP: "127.0.0.1"}).address(5555), "tcp://127.0.0.1:5555"; got != want {
		t.Errorf("address: got %s, want %s", got, want)
	}
	if err := c.WriteFile(filepath.Join(dir, "none", "c.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a missing folder: got %v", err)
	}
}
