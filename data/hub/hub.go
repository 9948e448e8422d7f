// Package hub fetches files of data sets from the Hugging Face hub, or from a
// server that speaks its protocol: resumed where a download broke off, checked
// against the checksum that the hub gives, and kept in a cache.
//
// HF_ENDPOINT names another server, HF_TOKEN (or the file that "hf auth login"
// writes) gives access to private sets, and CGBG_HUB_CACHE moves the cache.
//
// go-huggingface 0.3.1 neither resumes a download nor checks it, which files of
// hundreds of megabytes need; that is why this package does not use it.
package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// DefaultEndpoint is the hub.
const DefaultEndpoint = "https://huggingface.co"

// Errors that fetching wraps; branch on them with errors.Is.
var (
	ErrNotFound = errors.New("the hub has no such file")
	ErrDenied   = errors.New("the hub denies access; set HF_TOKEN to a token that may read the set, or accept its " +
		"terms on the hub's page")
	ErrChecksum = errors.New("what arrived is not what the hub announced; it was thrown away, fetch it again")
	ErrBroken   = errors.New("the download broke off; run the same command again, and it goes on from there")
)

// Client fetches files. The zero value is ready, and uses the environment.
type Client struct {
	Endpoint string // "" means HF_ENDPOINT, or else DefaultEndpoint
	Token    string // "" means HF_TOKEN, or else the hub's own file
	Cache    string // folder; "" means CGBG_HUB_CACHE, or else the user's cache
	HTTP     *http.Client
	Progress func(done, total int64) // may be nil
}

// Fetch returns the path of a file of a data set in the cache, fetched if need
// be. dataset: owner/name; revision: branch, tag or commit, "" for main.
// Errors: ErrNotFound, ErrDenied, ErrChecksum, ErrBroken, those of the system.
func (c *Client) Fetch(ctx context.Context, dataset, revision, file string) (string, error) {
	path, err := c.fetch(ctx, dataset, revision, file)
	if err != nil {
		return "", fmt.Errorf("hub: %s of %s: %w", file, dataset, err)
	}
	return path, nil
}

func (c *Client) fetch(ctx context.Context, dataset, revision, file string) (string, error) {
	if revision == "" {
		revision = "main"
	}
	cache, err := c.cache()
	if err != nil {
		return "", err
	}
	var escaped []string
	for part := range strings.SplitSeq(file, "/") {
		escaped = append(escaped, url.PathEscape(part))
	}
	address := fmt.Sprintf("%s/datasets/%s/resolve/%s/%s", strings.TrimSuffix(c.endpoint(), "/"), dataset,
		url.PathEscape(revision), strings.Join(escaped, "/"))
	about, err := c.ask(ctx, address)
	if err != nil {
		return "", err
	}
	whole := filepath.Join(cache, about.sum+filepath.Ext(file))
	if err := about.verify(whole); err == nil { // a disk or a hand may have damaged it
		return whole, nil
	} else if err := ctx.Err(); err != nil {
		return "", err
	}
	part := whole + ".part"
	if err := c.download(ctx, address, part, about); err != nil {
		return "", err
	}
	if err := about.verify(part); err != nil {
		os.Remove(part)
		return "", err
	}
	return whole, os.Rename(part, whole)
}

func (c *Client) endpoint() string {
	for _, e := range []string{c.Endpoint, os.Getenv("HF_ENDPOINT")} {
		if e != "" {
			return e
		}
	}
	return DefaultEndpoint
}

func (c *Client) token() string {
	for _, t := range []string{c.Token, os.Getenv("HF_TOKEN")} {
		if t != "" {
			return t
		}
	}
	home := os.Getenv("HF_HOME")
	if user, err := os.UserHomeDir(); home == "" && err == nil {
		home = filepath.Join(user, ".cache", "huggingface")
	}
	text, err := os.ReadFile(filepath.Join(home, "token"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (c *Client) cache() (string, error) {
	dir := c.Cache
	if dir == "" {
		dir = os.Getenv("CGBG_HUB_CACHE")
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no folder for the cache (set CGBG_HUB_CACHE): %w", err)
		}
		dir = filepath.Join(user, "cgbg", "hub")
	}
	return dir, os.MkdirAll(dir, 0o755)
}

func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

func (c *Client) request(ctx context.Context, method, address string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "cgbg")
	r.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	if t := c.token(); t != "" {
		r.Header.Set("Authorization", "Bearer "+t) // net/http keeps it from other hosts on a redirect
	}
	return r, nil
}

// about is what the hub says of a file: its checksum, a SHA-256 or the SHA-1 of
// a git blob, and its size, −1 where it does not say.
type about struct {
	sum  string
	size int64
}

// ask reads the headers of the file's own address; the checksum stands there
// and not where a redirect leads.
func (c *Client) ask(ctx context.Context, address string) (about, error) {
	r, err := c.request(ctx, http.MethodHead, address)
	if err != nil {
		return about{}, err
	}
	direct := *c.client()
	direct.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.Response != nil && next.Response.Header.Get("X-Linked-Etag") != "" {
			return http.ErrUseLastResponse // what follows is the store, the headers are here
		}
		return nil
	}
	resp, err := direct.Do(r)
	if err != nil {
		return about{}, fmt.Errorf("asking %s: %w", address, err)
	}
	resp.Body.Close()
	if err := status(resp); err != nil {
		return about{}, err
	}
	a := about{size: resp.ContentLength}
	if s := resp.Header.Get("X-Linked-Size"); s != "" {
		if a.size, err = strconv.ParseInt(s, 10, 64); err != nil {
			return about{}, fmt.Errorf("%s answers with the size %q", address, s)
		}
	} else if resp.StatusCode/100 == 3 {
		a.size = -1
	}
	tag := resp.Header.Get("X-Linked-Etag")
	if tag == "" {
		tag = resp.Header.Get("ETag")
	}
	a.sum = strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
	if _, err := hex.DecodeString(a.sum); err != nil || len(a.sum) != 2*sha256.Size && len(a.sum) != 2*sha1.Size {
		return about{}, fmt.Errorf("%s answers with the checksum %q, neither SHA-256 nor that of a git blob: is it "+
			"a hub?", address, tag)
	}
	return a, nil
}

func status(r *http.Response) error {
	switch {
	case r.StatusCode/100 == 2 || r.StatusCode/100 == 3:
		return nil
	case r.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w (%s)", ErrNotFound, r.Request.URL)
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w (%s)", ErrDenied, r.Status)
	}
	return fmt.Errorf("%s answers %s; try again later", r.Request.URL.Host, r.Status)
}

// tries is how often a download that breaks off goes on by itself.
const tries = 4

// download brings the rest of a file to part.
func (c *Client) download(ctx context.Context, address, part string, a about) error {
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	for n := 1; ; n++ {
		done, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if a.size >= 0 && done == a.size {
			break
		}
		err = c.rest(ctx, address, file, done, a)
		if err == nil {
			break
		}
		var retry *transient
		if !errors.As(err, &retry) || n == tries || ctx.Err() != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		select {
		case <-time.After(time.Duration(n*n) * 100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(file.Sync(), file.Close())
}

// transient is a failure of the connection: another try may go on.
type transient struct{ err error }

func (t *transient) Error() string { return fmt.Sprintf("%v: %v", ErrBroken, t.err) }
func (t *transient) Unwrap() []error {
	return []error{ErrBroken, t.err}
}

// rest appends what follows the first done bytes.
func (c *Client) rest(ctx context.Context, address string, file *os.File, done int64, a about) error {
	r, err := c.request(ctx, http.MethodGet, address)
	if err != nil {
		return err
	}
	if done > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", done))
	}
	resp, err := c.client().Do(r)
	if err != nil {
		return &transient{err}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable || resp.StatusCode == http.StatusOK && done > 0,
		resp.StatusCode == http.StatusPartialContent &&
			!strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", done)):
		// The server begins anew, so do we.
		if err := file.Truncate(0); err != nil {
			return err
		}
		done = 0
		if resp.StatusCode != http.StatusOK {
			return &transient{errors.New("the server refuses to go on from where it broke off")}
		}
	case resp.StatusCode >= 500:
		return &transient{errors.New(resp.Status)}
	default:
		if err := status(resp); err != nil {
			return err
		}
	}
	if _, err := file.Seek(done, io.SeekStart); err != nil {
		return err
	}
	body := io.Reader(resp.Body)
	if a.size >= 0 {
		body = io.LimitReader(body, a.size-done+1) // one byte too many shows in the check, a million need not arrive
	}
	n, err := io.Copy(&meter{file: file, done: done, total: a.size, report: c.Progress}, body)
	if err != nil {
		var disk *os.PathError
		if errors.As(err, &disk) {
			return err
		}
		return &transient{err}
	}
	if a.size >= 0 && done+n < a.size {
		return &transient{io.ErrUnexpectedEOF}
	}
	return nil
}

// meter writes and reports.
type meter struct {
	file        *os.File
	done, total int64
	report      func(done, total int64)
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.file.Write(p)
	if m.done += int64(n); m.report != nil {
		m.report(m.done, m.total)
	}
	return n, err
}

// verify compares a file with what the hub announced.
func (a about) verify(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var h hash.Hash = sha256.New()
	if len(a.sum) == 2*sha1.Size {
		h = sha1.New()
		fmt.Fprintf(h, "blob %d\x00", info.Size())
	}
	if _, err := io.Copy(h, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != strings.ToLower(a.sum) {
		return fmt.Errorf("%w (checksum %s, announced %s)", ErrChecksum, got, a.sum)
	}
	return nil
}
