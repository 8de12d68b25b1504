package batch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scrim/pipeline/ipc"
)

// kinds are the kinds of files, by extension.
var kinds = func() map[string]ipc.FileKind {
	byExt := map[string]ipc.FileKind{}
	for _, ext := range []string{".jpg", ".jpeg", ".png"} {
		byExt[ext] = ipc.Image
	}
	for _, ext := range []string{
		".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".flv", ".wmv", ".asf",
		".3gp", ".mxf", ".ogv", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg", ".dav", ".y4m", ".nut", ".dv", ".gif",
	} {
		byExt[ext] = ipc.Video
	}
	return byExt
}()

// outputs are the extensions of outputs, by kind.
var outputs = map[ipc.FileKind][]string{
	ipc.Video: {".mp4", ".m4v", ".mov", ".mkv"},
	ipc.Image: {".jpg", ".jpeg", ".png"},
}

// Plan lists the files to redact, with their outputs. It is made by NewPlan.
type Plan struct {
	overwrite bool
	files     []ipc.File
	sizes     []int64 // bytes of each input
	total     int64   // bytes of all
	skipped   int     // files of a folder that are neither video nor image
}

func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// NewPlan plans a file or folder, in, that is redacted to another, out. The extension of an
// output file is its format. A plan that would destroy a file is rejected; overwrite allows
// it to replace outputs that exist.
func NewPlan(in, out string, overwrite bool) (*Plan, error) {
	info, err := os.Stat(in)
	if err != nil {
		return nil, err
	}
	// The redactor has a working directory of its own.
	in, err1 := filepath.Abs(in)
	out, err2 := filepath.Abs(out)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p := &Plan{overwrite: overwrite}
	if info.IsDir() {
		err = p.folder(in, out)
	} else {
		err = p.file(in, out, info)
	}
	if err != nil {
		return nil, err
	}
	return p, p.check()
}

// file plans one file.
func (p *Plan) file(in, out string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a file or folder", in)
	}
	if o, err := os.Stat(out); err == nil && o.IsDir() {
		return fmt.Errorf("%s: is a folder; choose an output file, such as %s", out, filepath.Join(out, filepath.Base(in)))
	}
	kind, ok := kinds[extension(in)]
	if !ok { // FFmpeg may know it
		kind = ipc.Video
	}
	if !slices.Contains(outputs[kind], extension(out)) {
		return fmt.Errorf("%s: output format not supported for %s; use one of %s", out, kind, strings.Join(outputs[kind], ", "))
	}
	return p.add(filepath.Base(in), kind, in, out, info.Size())
}

// folder plans the files of a folder.
func (p *Plan) folder(in, out string) error {
	if within(out, in) {
		return fmt.Errorf("%s: is within the input %s; choose another folder", out, in)
	}
	if o, err := os.Stat(out); err == nil && !o.IsDir() {
		return fmt.Errorf("%s: is a file, but the input %s is a folder; choose a folder", out, in)
	}
	err := filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(in, path)
		if err != nil {
			return err
		}
		kind, known := kinds[extension(path)]
		if !known || !d.Type().IsRegular() {
			p.skipped++
			return nil
		}
		target := filepath.Join(out, rel)
		if !slices.Contains(outputs[kind], extension(path)) {
			target += outputs[kind][0]
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return p.add(filepath.ToSlash(rel), kind, path, target, info.Size())
	})
	if err == nil && len(p.files) == 0 {
		err = fmt.Errorf("%s: no video or image found", in)
	}
	return err
}

// add plans one file. Its temporary name cannot be guessed, so no other program writes
// there.
func (p *Plan) add(name string, kind ipc.FileKind, in, out string, size int64) error {
	temp := filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+"."+rand.Text()[:8]+".partial")
	p.files = append(p.files, ipc.File{Name: name, Kind: kind, In: in, Out: out, Temp: temp})
	p.sizes = append(p.sizes, size)
	p.total += size
	return nil
}

// check rejects outputs that exist, that are an input, or that are the same.
func (p *Plan) check() error {
	taken := make(map[string]bool, len(p.files))
	inputs := make(map[string]bool, len(p.files))
	for _, f := range p.files {
		inputs[resolved(f.In)] = true
	}
	for _, f := range p.files {
		switch _, err := os.Lstat(f.Out); {
		case taken[f.Out]:
			return fmt.Errorf("%s: two inputs have this output", f.Out)
		case inputs[resolved(f.Out)], same(f.In, f.Out):
			return fmt.Errorf("%s: is an input itself; choose another output", f.Out)
		case err == nil && !p.overwrite:
			return fmt.Errorf("%s %w", f.Out, ErrExists)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		taken[f.Out] = true
	}
	return nil
}

// resolved returns an absolute path, with symbolic links resolved as far as it exists.
func resolved(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		path = r
	}
	if a, err := filepath.Abs(path); err == nil {
		path = a
	}
	return path
}

// same reports whether two paths are the same file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// within reports whether a path is a folder or below it. A path that does not exist yet is
// judged by the folder that it would be in.
func within(path, folder string) bool {
	rest, base := path, ""
	for {
		if _, err := os.Lstat(rest); err == nil || rest == filepath.Dir(rest) {
			break
		}
		base = filepath.Join(filepath.Base(rest), base)
		rest = filepath.Dir(rest)
	}
	rel, err := filepath.Rel(resolved(folder), filepath.Join(resolved(rest), base))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
