package pull

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scrim/models"
)

// EnvMirror is the environment variable with a mirror of the models: a folder, or a
// URL to which the name of the model's file is appended.
const EnvMirror = "SCRIM_MODELS_MIRROR"

// StallTimeout is how long a server may send nothing before the request is cancelled.
const StallTimeout = 30 * time.Second

// ErrHash is wrapped if the content is not the model's. The content is deleted.
var ErrHash = errors.New("wrong SHA-256")

// Options are the options of Model.
type Options struct {
	// From is the path of a file, or a URL, that replaces the model's URLs. The hash is
	// still verified.
	From string
	// Client makes the requests; nil means http.DefaultTransport. Its CheckRedirect is
	// not used.
	Client *http.Client
	// Progress is called from Model's goroutine with the number of bytes so far and in
	// total; total is -1 while it is unknown.
	Progress func(done, total int64)
}

// Mirror returns the location of a model in $SCRIM_MODELS_MIRROR, for Options.From; ""
// if the variable is not set.
func Mirror(m models.Model) string {
	base := os.Getenv(EnvMirror)
	switch {
	case base == "":
		return ""
	case !isURL(base):
		return filepath.Join(base, m.File)
	}
	if joined, err := url.JoinPath(base, m.File); err == nil {
		return joined
	}
	return base // Model refuses it with a reason
}

// isURL reports whether s is a URL and not a path.
func isURL(s string) bool { return strings.Contains(s, "://") }

// Model fetches a model into a folder, which it creates if necessary, and returns the
// path of the file. A valid file is left as it is; a corrupt one is replaced.
//
// The URLs are tried in turn. The download is written to a file ending in ".part",
// which is verified, flushed to disk and then renamed, so the model's own name never
// refers to an incomplete file. If a download is interrupted or ctx ends, the part
// stays and the next call requests only the rest. A part with a wrong hash is deleted.
// The error wraps ErrHash if any of the URLs had a wrong hash, or ctx's error. A part
// that is a link, or that another user may have planted, is an error.
//
// Model is safe for concurrent use, also among processes: a lock on a file ending in
// ".lock" protects the part, and the second caller finds the finished model. Only
// https is used, except for servers on this host.
func Model(ctx context.Context, m models.Model, dir string, o Options) (path string, err error) {
	path, err = pull(ctx, m, dir, o)
	if err != nil {
		return "", fmt.Errorf("pull %s: %w", m.Name, err)
	}
	return path, nil
}

func pull(ctx context.Context, m models.Model, dir string, o Options) (path string, err error) {
	if o.From != "" {
		m.URLs = []string{o.From}
	}
	if err := validate(m); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path, err = filepath.Abs(filepath.Join(dir, m.File))
	if err != nil {
		return "", err
	}
	if m.Check(path) == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // models are public
		return "", fmt.Errorf("%w; use another folder with --dir", err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		if errors.Is(err, os.ErrPermission) || isReadOnly(err) {
			err = fmt.Errorf("%w; use another folder with --dir", err)
		}
		return "", err
	}
	defer unlock()
	// The previous holder of the lock may have fetched the model.
	if m.Check(path) == nil {
		return path, nil
	}
	part, err := openPart(path + ".part")
	if err != nil {
		return "", err
	}
	defer part.close()
	f := fetcher{model: m, part: part, local: o.From != "" && !isURL(o.From), client: client(o.Client), progress: o.Progress}
	if f.progress == nil {
		f.progress = func(int64, int64) {}
	}
	if err := f.fetch(ctx); err != nil {
		return "", err
	}
	if err := part.become(path); err != nil {
		return "", err
	}
	return path, syncDir(filepath.Dir(path))
}

// validate rejects a model that could not be verified, or would be written elsewhere.
func validate(m models.Model) error {
	if hash, err := hex.DecodeString(m.SHA256); err != nil || len(hash) != 32 {
		return fmt.Errorf("unknown SHA-256: the download could not be verified")
	}
	if m.File == "" || m.File != filepath.Base(m.File) || !filepath.IsLocal(m.File) {
		return fmt.Errorf("invalid file name %q", m.File)
	}
	if m.Size < 0 || m.Size > models.MaxBytes {
		return fmt.Errorf("invalid size %d: must be from 0 to %d", m.Size, models.MaxBytes)
	}
	if len(m.URLs) == 0 {
		return errors.New("no download source for this model; use a file with --from")
	}
	return nil
}

// syncDir makes a rename in dir survive a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the user's own path
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
