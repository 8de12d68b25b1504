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

// EnvMirror is the environment variable that says where models are instead of
// their URLs: a folder, or a URL to which the name of the model's file is added.
const EnvMirror = "SCRIM_MODELS_MIRROR"

// StallTimeout is how long a server may send nothing, from the request to the
// last byte, before it is given up.
const StallTimeout = 30 * time.Second

// ErrHash is wrapped by errors about content that is not the model's. Nothing of it
// is kept.
var ErrHash = errors.New("wrong SHA-256")

// Options are optional to Model.
type Options struct {
	// From is where the model is instead of at its URLs: the path of a file, or a
	// URL. Its hash is verified all the same.
	From string
	// Client makes the requests; nil: http.DefaultTransport. Its CheckRedirect
	// is not used.
	Client *http.Client
	// Progress is called, from Model's goroutine, with the bytes that there are
	// and those that there will be; total is -1 while it is not known.
	Progress func(done, total int64)
}

// Mirror returns where $SCRIM_MODELS_MIRROR says that a model is, for Options;
// "" where it says nothing.
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
	return base // which Model refuses, and says why
}

// isURL tells a URL from a path.
func isURL(s string) bool { return strings.Contains(s, "://") }

// Model fetches a model into a folder, which is made when it is not there, and
// returns the path of the file. A file that is there and whole is left alone;
// one that is there and corrupt is replaced.
//
// The URLs are tried in turn. The download goes to a file ending in ".part",
// which is verified, flushed to disk and then renamed, so the model's own name
// never stands for half a file. When a download is cut off or ctx ends, the
// part stays and the next call asks for the rest only; a part that leads to
// another hash is deleted. The error then wraps ErrHash, when that was so for
// any of the URLs; ctx's error when it ended. A part that is a link, or that
// somebody else could have put there, is an error: no other file is written to.
//
// Model is safe for concurrent use, among processes too: the part is guarded by
// a lock on a file ending in ".lock", and who comes second finds the model
// done. Only https is used, but for servers on this host.
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
		return "", fmt.Errorf("%w; choose another folder with --dir", err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		if errors.Is(err, os.ErrPermission) || isReadOnly(err) {
			err = fmt.Errorf("%w; choose another folder with --dir", err)
		}
		return "", err
	}
	defer unlock()
	// Whoever had the lock may have done the work.
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

// validate refuses what could not be verified or would be written elsewhere.
func validate(m models.Model) error {
	if hash, err := hex.DecodeString(m.SHA256); err != nil || len(hash) != 32 {
		return fmt.Errorf("its SHA-256 is not known, so a download could not be verified")
	}
	if m.File == "" || m.File != filepath.Base(m.File) || !filepath.IsLocal(m.File) {
		return fmt.Errorf("%q is not the name of a file", m.File)
	}
	if m.Size < 0 || m.Size > models.MaxBytes {
		return fmt.Errorf("%d bytes are outside 0 … %d", m.Size, models.MaxBytes)
	}
	if len(m.URLs) == 0 {
		return errors.New("nobody offers it for download; name a file that has it with --from")
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
