package measure

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads truths and reports, each a file or a folder, and pairs them. If there are as
// many truth files as report files, they are paired in order; otherwise by Match. In a
// folder it reads *.truth.jsonl, *.truth.json and faces.json, and *.report.jsonl; without
// such files, all *.jsonl and *.json. The second result are reports without a truth.
func Load(truthPaths, reportPaths []string) ([]Pair, []*Report, error) {
	if len(truthPaths) == 0 || len(reportPaths) == 0 {
		return nil, nil, errors.New("missing truth or report: use --truth FILE --report FILE")
	}
	truthFiles, folder1, err := list(truthPaths, func(name string) bool {
		return strings.HasSuffix(name, ".truth.jsonl") || strings.HasSuffix(name, ".truth.json") || name == "faces.json"
	})
	if err != nil {
		return nil, nil, fmt.Errorf("truth: %w", err)
	}
	reportFiles, folder2, err := list(reportPaths, func(name string) bool { return strings.HasSuffix(name, ".report.jsonl") })
	if err != nil {
		return nil, nil, fmt.Errorf("report: %w", err)
	}
	truths, err := readAll(truthFiles, ReadTruth)
	if err != nil {
		return nil, nil, fmt.Errorf("truth: %w", err)
	}
	reports, err := readAll(reportFiles, ReadReport)
	if err != nil {
		return nil, nil, fmt.Errorf("report: %w", err)
	}
	if folder1 || folder2 || len(truths) != len(reports) {
		return Match(slices.Concat(truths...), slices.Concat(reports...))
	}
	var pairs []Pair
	var left []*Report
	for i := range truths {
		p, l, err := Match(truths[i], reports[i])
		if err != nil {
			return nil, nil, err
		}
		pairs, left = append(pairs, p...), append(left, l...)
	}
	return pairs, left, nil
}

// list replaces folders by their files.
func list(paths []string, wanted func(name string) bool) (files []string, folder bool, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, false, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		folder = true
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, false, err
		}
		var good, all []string
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() || !strings.HasSuffix(name, ".jsonl") && !strings.HasSuffix(name, ".json") {
				continue
			}
			all = append(all, filepath.Join(path, name))
			if wanted(name) {
				good = append(good, filepath.Join(path, name))
			}
		}
		if len(all) == 0 {
			return nil, false, fmt.Errorf("folder %s has neither .jsonl nor .json files", path)
		}
		if len(good) == 0 {
			good = all
		}
		files = append(files, good...)
	}
	return files, folder, nil
}

// readAll reads each file; an empty one is an error.
func readAll[T any](files []string, read func(io.Reader, string) ([]T, error)) ([][]T, error) {
	all := make([][]T, 0, len(files))
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		got, err := read(f, path)
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		if len(got) == 0 {
			return nil, fmt.Errorf("%s has no frames", path)
		}
		all = append(all, got)
	}
	return all, nil
}
