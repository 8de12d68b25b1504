package pull

import (
	"cmp"
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

// maxRedirects bounds the redirects of a request.
const maxRedirects = 5

// errStalled means that a server sent nothing for StallTimeout.
var errStalled = fmt.Errorf("no data for %v", StallTimeout)

// errTooLarge is wrapped if there are more bytes than the model has.
var errTooLarge = errors.New("too large")

// errOtherPart means that the partial download does not match the server's file. It
// was deleted; a new request fetches the whole file.
var errOtherPart = errors.New("partial download does not match the server's file")

// fetcher writes the model to the part.
type fetcher struct {
	model models.Model
	part  *part
	// local is set if the URL is the path of a file.
	local    bool
	client   *http.Client
	progress func(done, total int64)
}

// fetch tries the URLs in turn.
func (f *fetcher) fetch(ctx context.Context) error {
	// An earlier process may have exited between the last byte and the rename.
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
	return fmt.Errorf("%w; use another file or URL with --from; the model must have SHA-256 %s", failed, f.model.SHA256)
}

// redacted returns an address without its password.
func redacted(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}

// from fetches the missing bytes from one URL and verifies the whole file.
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

// verify reads the part back, and empties it if the hash is wrong.
func (f *fetcher) verify() error {
	got, err := f.part.sum(f.limit())
	if err == nil && got != f.model.SHA256 {
		err = fmt.Errorf("%w: got %s, expected %s", ErrHash, got, f.model.SHA256)
	}
	if err != nil {
		return errors.Join(err, f.part.empty())
	}
	return nil
}

// copyFile copies a file into the part.
func (f *fetcher) copyFile(path string) error {
	// Check before opening: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
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

// pathless returns an error without the path, which the caller adds.
func pathless(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// download appends the missing bytes to the part, which has begun bytes. A server
// without support for ranges sends the whole file.
func (f *fetcher) download(ctx context.Context, address string, begun int64) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if !mayFetch(u) {
		return errors.New("only https URLs are allowed")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(StallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	// Ranges count the bytes that are sent, so they must not be compressed.
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
		return 0, fmt.Errorf("unexpected status %.60q", resp.Status)
	}
}

// copy appends to the part, after its first done bytes: length bytes, or an unknown
// number if length is negative. It calls alive for all bytes read.
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
			return fmt.Errorf("interrupted after %d bytes: %w", done, err)
		}
	}
}

// limit returns the maximum size of the part.
func (f *fetcher) limit() int64 {
	if f.model.Size > 0 {
		return f.model.Size
	}
	return models.MaxBytes
}

// cause returns why a request failed, or why it was cancelled.
func cause(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	// The caller adds the URL.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// client returns a copy of c that follows only redirects to URLs that mayFetch allows.
func client(c *http.Client) *http.Client {
	mine := *cmp.Or(c, &http.Client{})
	mine.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		// A foreign server must not redirect to a server on this host.
		if !mayFetch(req.URL) || req.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
			return fmt.Errorf("redirected to %s: only https URLs are allowed", req.URL.Redacted())
		}
		return nil
	}
	return &mine
}

// mayFetch allows https, and http to a loopback address.
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
