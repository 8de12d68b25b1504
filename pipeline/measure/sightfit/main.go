// Command sightfit fits the table of package sight to the weights of a detector, and checks it on
// other photographs.
//
//	go run ./pipeline/measure/sightfit --photos DIR --table redact/sight/table.json
//
// DIR has labels.jsonl and the photographs that it names, in images-*.tar or as files. A
// line is {"file", "w", "h", "faces": [[x, y, w, h, score], …]}, in pixels.
//
// It puts photographs that the built-in network was not trained on side by side, scaled so
// that faces are 12 to 200 pixels high, degrades the picture, measures its
// condition, and shows it to the detector of a live camera. Half of the
// photographs are for fitting, in mixed degradations of any amount. The other half are for checking,
// in the named conditions; the tables that it prints are theirs. The same photographs
// and seed give the same table.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"scrim/models"
	"scrim/pipeline/atomicfile"
	"scrim/redact"
	"scrim/redact/sight"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sightfit:", err)
		os.Exit(1)
	}
}

type options struct {
	photos, model, name, table, observations string
	canvases, mixes, painted, workers        int
	seed                                     uint64
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("sightfit", flag.ContinueOnError)
	f.StringVar(&o.photos, "photos", "", "`folder` with labels.jsonl and the photographs")
	f.StringVar(&o.model, "model", "", "ONNX `file` of the detector; empty: the network that is built in")
	f.StringVar(&o.name, "model-name", "", "`name` of that file's network for people")
	f.StringVar(&o.table, "table", "", "`file` of tables in which the network's table is replaced; empty: only print")
	f.StringVar(&o.observations, "observations", "", "`file` of what was seen, a JSON object a line. If it exists, it is read instead of measuring")
	f.IntVar(&o.canvases, "pictures", 200, "`number` of pictures to fit with, and as many to check with")
	f.IntVar(&o.mixes, "mixes", 48, "`number` of mixed degradations of each picture to fit with")
	f.IntVar(&o.painted, "painted", 24, "`number` of the pictures to check with in which the sight is also tested by painted faces")
	f.IntVar(&o.workers, "workers", 2, "`number` of detectors at work")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that decides by chance")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.canvases < 1 || o.mixes < 1 || o.painted < 0 || o.painted > o.canvases || o.workers < 1 {
		return o, errors.New("--pictures, --mixes and --workers must be 1 or more, and --painted from 0 to --pictures; see --help")
	}
	if o.model == "" {
		o.name = models.BuiltIn().Name
	} else if o.name == "" {
		o.name = strings.TrimSuffix(filepath.Base(o.model), ".onnx")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	d, err := live(o.model, o.name)
	if err != nil {
		return err
	}
	info := d.Info()
	_ = d.Close()
	seen, err := o.load()
	if errors.Is(err, os.ErrNotExist) {
		seen, err = o.measure(ctx)
	}
	if err != nil {
		return err
	}
	t := fitTable(seen, info, o.name)
	if o.table != "" {
		if err := store(o.table, t); err != nil {
			return err
		}
	}
	write(os.Stdout, check(seen, &t, o.seed))
	return nil
}

// fitTable fits a table to what was seen to fit it with.
func fitTable(seen []observation, info redact.DetectorInfo, name string) sight.Table {
	var mixes, clean []observation
	for _, s := range seen {
		switch {
		case s.Part != fitting:
		case s.Degradation.Kind == "clean":
			clean = append(clean, s)
		default:
			mixes = append(mixes, s)
		}
	}
	return fit(mixes).table(name, info.ModelSHA256, sightOf(clean, true))
}

// load reads what was seen before.
func (o *options) load() ([]observation, error) {
	if o.observations == "" {
		return nil, os.ErrNotExist
	}
	f, err := os.Open(o.observations)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var seen []observation
	for d := json.NewDecoder(bufio.NewReader(f)); ; {
		var s observation
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return seen, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", o.observations, err)
		}
		seen = append(seen, s)
	}
}

// measure shows all pictures to the detector.
func (o *options) measure(ctx context.Context) ([]observation, error) {
	photos, grounds, err := readLabels(o.photos)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "sightfit-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	wanted := map[string]bool{}
	for _, all := range []map[part][]photo{photos, grounds} {
		for _, list := range all {
			for _, p := range list {
				wanted[p.file] = true
			}
		}
	}
	if err := unpack(o.photos, folder, wanted); err != nil {
		return nil, err
	}
	by := observer{
		folder: folder, photos: photos, grounds: grounds, canvases: o.canvases, mixes: o.mixes, painted: o.painted, seed: o.seed,
		open:     func() (redact.Detector, error) { return live(o.model, o.name) },
		progress: func(done, all int) { fmt.Fprintf(os.Stderr, "\r%d of %d pictures", done, all) },
	}
	seen, err := by.observe(ctx, o.workers)
	fmt.Fprintln(os.Stderr)
	if err != nil || o.observations == "" {
		return seen, err
	}
	return seen, atomicfile.Write(o.observations, func(w io.Writer) error {
		e := json.NewEncoder(w)
		for i := range seen {
			if err := e.Encode(&seen[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// store replaces the table of that network in a file, or adds it.
func store(file string, t sight.Table) error {
	data, err := os.ReadFile(file) //nolint:gosec // the user named it
	if err != nil {
		return err
	}
	all, err := sight.ParseTables(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	at := len(all)
	for i := range all {
		if all[i].SHA256 == t.SHA256 {
			at = i
		}
	}
	all = append(all[:at:at], append([]sight.Table{t}, all[min(at+1, len(all)):]...)...)
	if data, err = sight.FormatTables(all); err != nil {
		return err
	}
	return atomicfile.Write(file, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
