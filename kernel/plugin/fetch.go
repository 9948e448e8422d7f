package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"
)

// download fetches a file and holds it to its checksum. A connection that breaks is tried again, twice.
func (j *job) download(ctx context.Context, url, sum, to string) error {
	if sum == "" {
		return fmt.Errorf("%s: no checksum to hold it to", path.Base(url))
	}
	var err error
	for range 3 {
		err = j.downloadOnce(ctx, url, to)
		var status statusError
		if err == nil || ctx.Err() != nil || errors.As(err, &status) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("downloading %s: %w", path.Base(url), err)
	}
	if err := verify(to, sum); err != nil {
		return fmt.Errorf("downloading %s: %w", path.Base(url), err)
	}
	return nil
}

// statusError is a server's refusal, which another try does not change.
type statusError string

func (e statusError) Error() string { return string(e) }

func (j *job) downloadOnce(ctx context.Context, url, to string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(j.stall, func() { cancel(fmt.Errorf("nothing arrived for %v", j.stall)) })
	defer watch.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := j.client.Do(request)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return statusError(response.Status)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	body := &progress{r: response.Body, out: j.out, name: path.Base(url), total: response.ContentLength, watch: watch,
		stall: j.stall}
	n, err := io.Copy(f, body)
	if err == nil && response.ContentLength >= 0 && n != response.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(causeOf(ctx, err), f.Close())
}

// causeOf says why the context ended, if that is what broke the connection.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// verify compares a file's SHA-256 checksum.
func verify(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%w: got %s, want %s", ErrChecksum, got, want)
	}
	return nil
}

// progress reports on a download every few seconds, and at its end.
type progress struct {
	r     io.Reader
	out   io.Writer
	name  string
	total int64 // -1 where the server does not say
	watch *time.Timer
	stall time.Duration

	done int64
	told time.Time
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if n > 0 {
		p.watch.Reset(p.stall)
	}
	const mb = 1e6
	if now := time.Now(); err == io.EOF || now.Sub(p.told) > 2*time.Second {
		first := p.told.IsZero()
		p.told = now
		switch {
		case first && err == nil: // the first bytes say nothing
		case p.total > 0:
			fmt.Fprintf(p.out, "  %s  %.0f of %.0f MB\n", p.name, float64(p.done)/mb, float64(p.total)/mb)
		default:
			fmt.Fprintf(p.out, "  %s  %.0f MB\n", p.name, float64(p.done)/mb)
		}
	}
	return n, err
}
