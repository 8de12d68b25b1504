package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// limit bounds every wait; nothing is measured by it.
const limit = time.Minute

// programsEnv is the variable with the folder of programs that another process of
// these tests has built.
const programsEnv = "SCRIM_E2E_PROGRAMS"

// programs builds Scrim's programs once and returns their folder.
var programs = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv(programsEnv); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "scrim-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	for program, env := range map[string]string{"scrim": "CGO_ENABLED=0", "scrim-redactor": "", "scrim-camera": ""} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, program), "scrim/cmd/"+program)
		cmd.Env = append(os.Environ(), env)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w: %s", program, err, out)
		}
	}
	return dir, nil
})

// built is the folder of programs that this process has built, or "".
var built string

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(status)
}

// program is a running program.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu    sync.Mutex
	log   bytes.Buffer
	lines chan string
}

// start starts one of Scrim's programs. It is stopped when the test ends.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	return startAt(t, filepath.Join(dir, name), args...)
}

func startAt(t *testing.T, path string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(path, args...), done: make(chan struct{}), lines: make(chan string, 1000)}
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	require.NoError(t, p.cmd.Start())
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			p.mu.Lock()
			p.log.WriteString(s.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.lines <- s.Text():
			default:
			}
		}
	}()
	go func() {
		p.err = p.cmd.Wait()
		_ = w.Close()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(path), p.output())
		}
	})
	return p
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// end signals the program and waits for its exit.
func (p *program) end(how os.Signal) {
	_ = p.cmd.Process.Signal(how)
	select {
	case <-p.done:
	case <-time.After(limit):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("%s did not exit:\n%s", p.cmd.Path, p.output())
	}
}

// expect waits for a line that matches and returns the first group.
func (p *program) expect(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.After(limit); ; {
		select {
		case line := <-p.lines:
			if m := re.FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
		case <-p.done:
			for { // lines before the exit
				select {
				case line := <-p.lines:
					if m := re.FindStringSubmatch(line); m != nil {
						return m[len(m)-1]
					}
					continue
				default:
				}
				p.t.Fatalf("%s exited (%v) without a line that matches %q:\n%s", p.cmd.Path, p.err, pattern, p.output())
			}
		case <-deadline:
			p.t.Fatalf("%s printed no line that matches %q:\n%s", p.cmd.Path, pattern, p.output())
		}
	}
}

// freePort returns an unused TCP port.
func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// writeFile writes a file for the test and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(strings.TrimLeft(text, "\n")), 0o600))
	return path
}

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
