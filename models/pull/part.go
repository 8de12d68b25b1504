package pull

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// part is the file that becomes the model's when it is whole.
type part struct {
	path string
	file *os.File
}

// openPart opens the part at path, and makes it where there is none. It writes to
// no file that somebody else may have put in its place: not through a link, not
// into a file of another owner, and not into one that has other names.
func openPart(path string) (*part, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // models are public
	if err == nil {
		return &part{path, f}, nil
	}
	if !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	// Opening a pipe would wait.
	f, err = os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link, and nothing is written through it; delete it", path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = ours(info)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s %w; delete it", path, err)
	}
	return &part{path, f}, nil
}

// ours refuses what is not a file that only this user can have made.
func ours(info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("is not a file")
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(of.Uid) != os.Geteuid():
		return errors.New("belongs to somebody else")
	case of.Nlink != 1:
		return errors.New("has another name as well")
	}
	return nil
}

// size returns how many bytes it has; the next are written behind them.
func (p *part) size() (int64, error) { return p.file.Seek(0, io.SeekEnd) }

// empty deletes what it holds.
func (p *part) empty() error {
	_, err := p.file.Seek(0, io.SeekStart)
	return errors.Join(err, p.file.Truncate(0))
}

// sum returns the hash of what it holds, in hex. It reads one byte more than most.
func (p *part) sum(most int64) (string, error) {
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(p.file, most+1)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// become renames it.
func (p *part) become(path string) error {
	if !sameFile(p.file, p.path) {
		return fmt.Errorf("%s was replaced meanwhile; see who else writes to its folder", p.path)
	}
	return os.Rename(p.path, path)
}

// close closes it, and leaves none that is empty.
func (p *part) close() {
	if info, err := p.file.Stat(); err == nil && info.Size() == 0 && sameFile(p.file, p.path) {
		os.Remove(p.path)
	}
	p.file.Close()
}
