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

// part is the file that is renamed to the model's when it is complete.
type part struct {
	path string
	file *os.File
}

// openPart opens or creates the part at path. It refuses a file that another user may
// have planted: a symbolic link, a file of another owner, or one with other hard links.
func openPart(path string) (*part, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // models are public
	if err == nil {
		return &part{path, f}, nil
	}
	if !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	// Without O_NONBLOCK, opening a pipe would wait.
	f, err = os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link, which is not followed; delete it", path)
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

// ours rejects a file that another user may have created.
func ours(info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(of.Uid) != os.Geteuid():
		return errors.New("belongs to another user")
	case of.Nlink != 1:
		return errors.New("has other hard links")
	}
	return nil
}

// size returns the size, and moves the write position to the end.
func (p *part) size() (int64, error) { return p.file.Seek(0, io.SeekEnd) }

// empty truncates the part.
func (p *part) empty() error {
	_, err := p.file.Seek(0, io.SeekStart)
	return errors.Join(err, p.file.Truncate(0))
}

// sum returns the SHA-256 of the content in hex. It reads at most one byte more than most.
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

// become renames the part to path.
func (p *part) become(path string) error {
	if !sameFile(p.file, p.path) {
		return fmt.Errorf("%s was replaced during the download; check which other program writes to its folder", p.path)
	}
	return os.Rename(p.path, path)
}

// close closes the part, and removes it if it is empty.
func (p *part) close() {
	if info, err := p.file.Stat(); err == nil && info.Size() == 0 && sameFile(p.file, p.path) {
		os.Remove(p.path)
	}
	p.file.Close()
}
