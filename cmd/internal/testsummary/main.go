package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	os.Exit(run())
}

func run() int {
	total := flag.Bool("total", false, "print the totals of FILE")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: go test -json … | testsummary FILE, or testsummary -total FILE")
		return 2
	}
	if *total {
		return printTotal(flag.Arg(0))
	}
	f, err := os.OpenFile(flag.Arg(0), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 2
	}
	defer f.Close()
	if err := newReader(os.Stdout, f).read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 2
	}
	return 0
}

func printTotal(path string) int {
	f, err := os.Open(path) //nolint:gosec // the caller's own
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 2
	}
	defer f.Close()
	t, err := readTotal(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 2
	}
	t.print(os.Stdout)
	if len(t.failed) > 0 {
		return 1
	}
	return 0
}
