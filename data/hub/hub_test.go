package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// server behaves like the hub: checksums in the headers of its own address,
// large files behind a redirect, ranges, access by token.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	body   []byte
	cut    int    // bytes of a body after which the connection breaks; 0 for none
	cuts   int    // how often
	wrong  bool   // announce another checksum
	git    bool   // a small file, in git
	secret string // token needed
	ranges []string
	gets   int
}

func newServer(t *testing.T, size int) *server {
	s := &server{}
	for i := range size {
		s.body = append(s.body, byte(i*i>>3))
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.secret != "" && r.Header.Get("Authorization") != "Bearer "+s.secret:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/store":
		s.send(w, r)
	case r.URL.Path == "/datasets/who/renamed/resolve/main/a b/data.npz":
		http.Redirect(w, r, "/datasets/who/set/resolve/main/a%20b/data.npz", http.StatusTemporaryRedirect)
	case r.URL.Path != "/datasets/who/set/resolve/main/a b/data.npz":
		w.WriteHeader(http.StatusNotFound)
	case s.git:
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`,
			sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(s.body)), s.body...))))
		s.send(w, r)
	default:
		announced := s.body
		if s.wrong {
			announced = []byte("something else")
		}
		w.Header().Set("X-Linked-Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(announced)))
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(s.body)))
		http.Redirect(w, r, "/store", http.StatusFound)
	}
}

func (s *server) send(w http.ResponseWriter, r *http.Request) {
	from := 0
	if r.Method == http.MethodGet {
		s.gets++
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.body)-1, len(s.body)))
			w.Header().Set("Content-Length", fmt.Sprint(len(s.body)-from))
			w.WriteHeader(http.StatusPartialContent)
		}
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(s.body)-from))
	if r.Method == http.MethodHead {
		return
	}
	if s.cut > 0 && s.cuts > 0 {
		s.cuts--
		w.Write(s.body[from:min(len(s.body), from+s.cut)])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(s.body[from:])
}

func (s *server) client(t *testing.T) *Client {
	t.Setenv("HF_TOKEN", "")
	t.Setenv("HF_HOME", t.TempDir())
	return &Client{Endpoint: s.URL, Cache: t.TempDir()}
}

func fetch(t *testing.T, c *Client) error {
	t.Helper()
	path, err := c.Fetch(context.Background(), "who/set", "", "a b/data.npz")
	if err == nil && filepath.Ext(path) != ".npz" {
		t.Errorf("got %s", path)
	}
	return err
}

func TestFetch(t *testing.T) {
	for _, git := range []bool{false, true} {
		s := newServer(t, 300000)
		s.git = git
		c := s.client(t)
		var last, total int64
		c.Progress = func(d, n int64) { last, total = d, n }
		for range 2 { // the second from the cache
			path, err := c.Fetch(context.Background(), "who/set", "", "a b/data.npz")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != string(s.body) {
				t.Errorf("git %v: got %d bytes, %v", git, len(got), err)
			}
		}
		if git { // a cached file that is damaged is fetched again
			s.gets = 0
			path, err := c.Fetch(context.Background(), "who/set", "", "a b/data.npz")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Repeat("x", len(s.body))), 0o644); err != nil {
				t.Fatal(err)
			}
			if path, err = c.Fetch(context.Background(), "who/set", "", "a b/data.npz"); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != string(s.body) {
				t.Errorf("damaged in the cache: got %d bytes, %v", len(got), err)
			}
		}
		if s.gets != 1 || last != 300000 || total != 300000 {
			t.Errorf("git %v: %d downloads, progress %d of %d", git, s.gets, last, total)
		}
		if _, err := c.Fetch(context.Background(), "who/renamed", "", "a b/data.npz"); err != nil {
			t.Errorf("git %v: a renamed set: %v", git, err)
		}
	}
}

// A connection that breaks is taken up where it broke; one that breaks too
// often leaves what arrived for the next command.
func TestResume(t *testing.T) {
	s := newServer(t, 300000)
	s.cut, s.cuts = 100000, 2
	c := s.client(t)
	if err := fetch(t, c); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=100000-", "bytes=200000-"}; strings.Join(s.ranges, "|") != strings.Join(want, "|") {
		t.Errorf("ranges: got %q, want %q", s.ranges, want)
	}
	c = s.client(t)
	s.cut, s.cuts, s.ranges = 10000, tries, nil
	if err := fetch(t, c); !errors.Is(err, ErrBroken) {
		t.Fatalf("got %v", err)
	}
	if err := fetch(t, c); err != nil {
		t.Fatal(err)
	}
	if got := s.ranges[len(s.ranges)-1]; got != "bytes=40000-" {
		t.Errorf("the next command asked for %q", got)
	}
	left, err := filepath.Glob(filepath.Join(c.Cache, "*"))
	if err != nil || len(left) != 1 || strings.HasSuffix(left[0], ".part") {
		t.Errorf("in the cache: %v, %v", left, err)
	}
}

func TestWrongChecksum(t *testing.T) {
	s := newServer(t, 1000)
	s.wrong = true
	c := s.client(t)
	if err := fetch(t, c); !errors.Is(err, ErrChecksum) {
		t.Fatalf("got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(c.Cache, "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("in the cache: %v, %v", left, err)
	}
}

func TestAccess(t *testing.T) {
	s := newServer(t, 1000)
	s.secret = "open sesame"
	c := s.client(t)
	if err := fetch(t, c); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "HF_TOKEN") {
		t.Errorf("without a token: got %v", err)
	}
	t.Setenv("HF_TOKEN", s.secret)
	t.Setenv("HF_ENDPOINT", s.URL)
	c.Endpoint = ""
	if err := fetch(t, c); err != nil {
		t.Errorf("with HF_TOKEN and HF_ENDPOINT: %v", err)
	}
	if _, err := c.Fetch(context.Background(), "who/set", "", "other.npz"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a file that is not there: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (&Client{Endpoint: s.URL, Token: s.secret, Cache: t.TempDir()}).Fetch(ctx, "who/set", "",
		"a b/data.npz"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v", err)
	}
}
