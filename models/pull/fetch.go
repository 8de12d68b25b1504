package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"scrim/models"
)

// maxRedirects bounds how often a server may send us elsewhere.
const maxRedirects = 5

// errStalled says that a server sent nothing for StallTimeout.
var errStalled = fmt.Errorf("nothing came for %v", StallTimeout)

// errTooLarge is wrapped by errors about more bytes than the model has.
var errTooLarge = errors.New("too large")

// errOtherPart says that what lies on disk does not go with what the server
// has, so it was deleted; asking again gets the whole.
var errOtherPart = errors.New("the server has another file than the one begun")

// fetcher makes the part hold the model.
type fetcher struct {
	model models.Model
	part  *part
	// local is set where the URL is the path of a file.
	local    bool
	client   *http.Client
	progress func(done, total int64)
}

// fetch tries the URLs in turn.
func (f *fetcher) fetch(ctx context.Context) error {
	// An earlier process may have ended between the last byte and the rename.
	if info, err := f.part.file.Stat(); err == nil && info.Size() >= f.limit() {
		if f.verify() == nil {
			return nil
		}
	}
	var failed error
	for _, u := range f.model.URLs {
		err := f.from(ctx, u)
		if errors.Is(err, errOtherPart) {
			err = f.from(ctx, u)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = fmt.Errorf("%s: %w", redacted(u), err)
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		failed = err
	}
	return fmt.Errorf("%w; name another file or URL with --from; the model has SHA-256 %s", failed, f.model.SHA256)
}

// redacted returns an address without the password that may stand in it.
func redacted(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}

// from fetches what is missing from one URL and verifies the whole.
func (f *fetcher) from(ctx context.Context, address string) error {
	begun, err := f.part.size()
	if err != nil {
		return err
	}
	if f.local {
		begun, err = 0, f.copyFile(address)
	} else {
		err = f.download(ctx, address, begun)
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, errOtherPart) {
		return errors.Join(err, f.part.empty())
	}
	if err != nil {
		return err
	}
	err = f.verify()
	if errors.Is(err, ErrHash) && begun > 0 {
		return fmt.Errorf("%w: %w", errOtherPart, err)
	}
	return err
}

// verify reads the part back; it empties one of another hash.
func (f *fetcher) verify() error {
	got, err := f.part.sum(f.limit())
	if err == nil && got != f.model.SHA256 {
		err = fmt.Errorf("%w: it is %s and must be %s", ErrHash, got, f.model.SHA256)
	}
	if err != nil {
		return errors.Join(err, f.part.empty())
	}
	return nil
}

// copyFile copies a file into the part.
func (f *fetcher) copyFile(path string) error {
	// Looked at before it is opened: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	if err != nil {
		return pathless(err)
	}
	in, err := os.Open(path) //nolint:gosec // the user's own path
	if err != nil {
		return pathless(err)
	}
	defer in.Close()
	if err := f.part.empty(); err != nil {
		return err
	}
	return f.copy(in, 0, info.Size(), func() {})
}

// pathless is an error without the path, which the caller says.
func pathless(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// download appends to the part, which has begun bytes, what is missing; a
// server that knows no ranges sends all again.
func (f *fetcher) download(ctx context.Context, address string, begun int64) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if !mayFetch(u) {
		return errors.New("only https URLs are used")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(StallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	// Ranges count the bytes of what is sent, so it must not be compressed.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "scrim")
	if begun > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", begun))
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	done, err := f.position(resp, begun)
	if err != nil {
		return err
	}
	return cause(ctx, f.copy(resp.Body, done, resp.ContentLength, func() { stall.Reset(StallTimeout) }))
}

// position prepares the part for the body and returns how many bytes of it stay.
func (f *fetcher) position(resp *http.Response, begun int64) (int64, error) {
	switch resp.StatusCode {
	case http.StatusOK:
		return 0, f.part.empty()
	case http.StatusPartialContent:
		var first int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &first); err != nil || first != begun || begun == 0 {
			return 0, fmt.Errorf("%w: Content-Range %.60q", errOtherPart, resp.Header.Get("Content-Range"))
		}
		return begun, nil
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, fmt.Errorf("%w: %s", errOtherPart, resp.Status)
	default:
		return 0, fmt.Errorf("the server says %.60q", resp.Status)
	}
}

// copy writes what comes behind the first done bytes of the part, length of them
// where that is not negative, and calls alive whenever bytes have come.
func (f *fetcher) copy(in io.Reader, done, length int64, alive func()) error {
	total := f.model.Size
	if total == 0 {
		total = -1
		if length >= 0 {
			total = done + length
		}
	}
	if done+length > f.limit() {
		return fmt.Errorf("%d bytes: %w", done+length, errTooLarge)
	}
	f.progress(done, total)
	buf := make([]byte, 64<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			alive()
			if done += int64(n); done > f.limit() {
				return fmt.Errorf("more than %d bytes: %w", f.limit(), errTooLarge)
			}
			if _, err := f.part.file.Write(buf[:n]); err != nil {
				return err
			}
			f.progress(done, total)
		}
		switch {
		case errors.Is(err, io.EOF):
			return f.part.file.Sync()
		case err != nil:
			return fmt.Errorf("cut off after %d bytes: %w", done, err)
		}
	}
}

// limit is the most bytes that the part may have.
func (f *fetcher) limit() int64 {
	if f.model.Size > 0 {
		return f.model.Size
	}
	return models.MaxBytes
}

// cause returns why a request failed, and why we ended it where we did.
func cause(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	// The URL is said by the caller.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// client returns a copy of c that follows only redirects to where we may fetch
// from.
func client(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{}
	}
	mine := *c
	mine.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		// Nobody out there is to send us to a server on this host.
		if !mayFetch(req.URL) || req.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
			return fmt.Errorf("redirected to %s, and only https URLs are used", req.URL.Redacted())
		}
		return nil
	}
	return &mine
}

// mayFetch admits https, and http to an address of this host.
func mayFetch(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		ip := net.ParseIP(u.Hostname())
		return ip != nil && ip.IsLoopback()
	}
	return false
}
