package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"scrim/cmd/internal/cli"
	"scrim/models"
	"scrim/models/pull"
)

// ModelsCmd works with face detection models.
type ModelsCmd struct {
	List   ModelsListCmd   `cmd:"" help:"List the known models and where they are."`
	Pull   ModelsPullCmd   `cmd:"" help:"Download a model, or copy it from a file, and verify its hash. Optional: Scrim has a built-in model."`
	Verify ModelsVerifyCmd `cmd:"" help:"Verify the hashes of models; fails if one is missing or corrupt."`
}

// ModelsListCmd lists the known models.
type ModelsListCmd struct {
	JSON bool `name:"json" help:"Print a JSON array."`
}

// modelState is whether a model can be used.
type modelState string

const (
	modelBuiltIn modelState = "built-in"
	modelFound   modelState = "found"
	modelMissing modelState = "missing"
	modelCorrupt modelState = "corrupt"
	// modelUnreadable: the file cannot be read.
	modelUnreadable modelState = "unreadable"
)

// modelRow is one model in the list.
type modelRow struct {
	Name        string     `json:"name"`
	State       modelState `json:"state"`
	Path        string     `json:"path,omitempty"`
	Size        int64      `json:"size"` // bytes
	SHA256      string     `json:"sha256"`
	Licence     string     `json:"licence"`
	Description string     `json:"description"`
	// Problem is the error of a corrupt or unreadable model.
	Problem string `json:"problem,omitempty"`
}

func newModelRow(m models.Model) (modelRow, error) {
	row := modelRow{
		Name: m.Name, State: modelFound, Size: m.Size, SHA256: m.SHA256, Licence: m.Licence, Description: m.Description,
	}
	found, err := models.Find(m.Name)
	if err == nil {
		if row.Path = found.Path; row.Path == "" {
			row.State = modelBuiltIn
		}
	} else if errors.Is(err, models.ErrNotFound) {
		row.State = modelMissing
	} else if corrupt, ok := errors.AsType[*models.CorruptError](err); ok {
		row.State, row.Path, row.Problem = modelCorrupt, corrupt.Path, err.Error()
	} else {
		row.State, row.Problem = modelUnreadable, err.Error()
	}
	return row, err
}

// Run prints a table, or JSON.
func (c ModelsListCmd) Run(out io.Writer) error {
	known := models.Known()
	rows := make([]modelRow, 0, len(known))
	for _, m := range known {
		row, _ := newModelRow(m) // the row has the error
		rows = append(rows, row)
	}
	if c.JSON {
		return cli.WriteJSON(out, rows)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tSIZE\tPATH\tLICENCE\tSHA-256")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.State, kilobytes(r.Size), cmp.Or(r.Path, "-"), r.Licence, r.SHA256)
	}
	return table.Flush()
}

// kilobytes formats a size in bytes.
func kilobytes(n int64) string { return fmt.Sprintf("%d kB", (n+999)/1000) }

// ModelsPullCmd fetches a model.
type ModelsPullCmd struct {
	Name string `arg:"" optional:"" default:"yunet-n" help:"Name of the model (${default})."`
	From string `placeholder:"FILE|URL" help:"File or https:// URL of the model. Default: $$SCRIM_MODELS_MIRROR, otherwise its authors' server."`
	Dir  string `placeholder:"DIR" help:"Folder for the model. Default: the first of $$SCRIM_MODELS, otherwise scrim/models in the user's data folder."`
}

// Run fetches the model and prints its path.
func (c ModelsPullCmd) Run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	m, err := models.Lookup(c.Name)
	if err != nil {
		return err
	}
	if m.Name == models.BuiltIn().Name {
		if c.From != "" {
			return fmt.Errorf("model %s is built in; to use your own file, set its path: `model: %s`", m.Name, c.From)
		}
		return printGood(out, m, "") // nothing to fetch
	}
	return pullModel(ctx, out, log, m, cmp.Or(c.Dir, models.Dirs()[0]), pull.Options{From: cmp.Or(c.From, pull.Mirror(m))})
}

// pullModel fetches a model into a folder.
func pullModel(ctx context.Context, out io.Writer, log *slog.Logger, m models.Model, dir string, o pull.Options) error {
	log.Debug("pull model", "model", m.Name, "dir", dir)
	if term.IsTerminal(int(os.Stderr.Fd())) { //nolint:gosec // a descriptor fits
		report, wipe := progress(os.Stderr, m)
		defer wipe()
		o.Progress = report
	}
	path, err := pull.Model(ctx, m, dir, o)
	if err != nil {
		return err
	}
	return printGood(out, m, path)
}

// progress returns functions that draw a progress bar on a terminal, and clear it.
func progress(w io.Writer, m models.Model) (report func(done, total int64), wipe func()) {
	const redraw = 100 * time.Millisecond
	bar := progressbar.NewOptions64(cmp.Or(m.Size, -1), // -1: a spinner
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(m.Name),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(redraw),
		progressbar.OptionClearOnFinish(),
		// The library's own timer would draw without a lock, and never stop.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
	// An error of the bar must not end the download.
	_ = bar.RenderBlank()
	return func(done, _ int64) { _ = bar.Set64(done) }, func() { _ = bar.Clear() }
}

// printGood prints that a model is valid; without a path, it is built in.
func printGood(out io.Writer, m models.Model, path string) error {
	_, err := fmt.Fprintf(out, "%s: %s, SHA-256 %s, good\n", m.Name, cmp.Or(path, "built in"), m.SHA256)
	return err
}

// ModelsVerifyCmd verifies models.
type ModelsVerifyCmd struct {
	Names []string `arg:"" optional:"" name:"name" help:"Names of the models. Default: all."`
}

// Run prints a line for each model. It fails if one is missing or corrupt.
func (c ModelsVerifyCmd) Run(out io.Writer) error {
	wanted := models.Known()
	if len(c.Names) > 0 {
		wanted = wanted[:0]
		for _, name := range c.Names {
			m, err := models.Lookup(name)
			if err != nil {
				return err
			}
			wanted = append(wanted, m)
		}
	}
	var failed error
	for _, m := range wanted {
		row, err := newModelRow(m)
		if row.State == modelBuiltIn {
			if err = verifyBuiltIn(m); err != nil {
				row.State = modelCorrupt
			}
		}
		if err == nil {
			if err := printGood(out, m, row.Path); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(out, "%s: %s, expected SHA-256 %s\n", m.Name, row.State, m.SHA256); err != nil {
			return err
		}
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		failed = err
	}
	return failed
}

// verifyBuiltIn verifies the model in this program.
func verifyBuiltIn(m models.Model) error {
	sum := sha256.Sum256(models.Weights())
	if got := hex.EncodeToString(sum[:]); got != m.SHA256 {
		return fmt.Errorf("built-in model %s is corrupt: got SHA-256 %s, expected %s; install Scrim again", m.Name, got, m.SHA256)
	}
	return nil
}
