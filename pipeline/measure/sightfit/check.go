package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"scrim/redact/sight"
)

// sizes are the classes of sizes of the tables, in pixels of the detector's input.
var sizes = []float64{10, 14, 18, 22, 28, 40, 64, 250}

const (
	// resamples is how often faces are drawn again, with all that was seen of each, for
	// the interval of an observed sight (B. Efron's bootstrap).
	resamples = 200
	// confidence is what intervals have: 95 %, and normal the quantile that gives it.
	confidence = 0.95
	normal     = 1.959964
	// agreement is the factor within which prediction and observation agree.
	agreement = 1.5
)

// tally counts faces, and those that were missed.
type tally struct{ faces, missed int }

func (t *tally) add(o observation) {
	t.faces++
	if !o.Found {
		t.missed++
	}
}

// wilson returns the interval of the share that is missed (E. B. Wilson, 1927).
func (t tally) wilson() (low, high float64) {
	if t.faces == 0 {
		return 0, 1
	}
	n, p := float64(t.faces), float64(t.missed)/float64(t.faces)
	middle, half := p+normal*normal/(2*n), normal*math.Sqrt(p*(1-p)/n+normal*normal/(4*n*n))
	f := 1 + normal*normal/n
	return max((middle-half)/f, 0), min((middle+half)/f, 1)
}

// String returns it for a table.
func (t tally) String() string {
	if t.faces == 0 {
		return "–"
	}
	low, high := t.wilson()
	return fmt.Sprintf("%d of %d (%s–%s %%)", t.missed, t.faces, percent(low), percent(high))
}

func percent(share float64) string {
	if share >= 0.0995 {
		return fmt.Sprintf("%.0f", 100*share)
	}
	return fmt.Sprintf("%.1f", 100*share)
}

// outcome is what was found in one condition, next to what a table predicts.
type outcome struct {
	kind, name string
	photos     int
	bySize     []tally
	// predicted is the median of the table's sights in the pictures, observed the sight of
	// the photographs, from low to high.
	predicted, observed, low, high float64
	// painted is the median of what painted faces show in some of the pictures, or NaN.
	painted float64
	// above has the faces from the sight on that was predicted for their picture.
	above tally
}

// ratio is above 1 where the prediction is on the safe side.
func (o *outcome) ratio() float64 {
	if math.IsInf(o.predicted, 1) && math.IsInf(o.observed, 1) {
		return 1
	}
	return o.predicted / o.observed
}

// check returns the outcomes of all conditions.
func check(seen []observation, t *sight.Table, seed uint64) []outcome {
	var order []string
	by := map[string][]observation{}
	for _, o := range seen {
		if n := o.Degradation.name(); o.Part == checking {
			if by[n] == nil {
				order = append(order, n)
			}
			by[n] = append(by[n], o)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Compare(rank(by[a][0].Degradation), rank(by[b][0].Degradation))
	})
	clean := sightOf(by[order[0]], true)
	all := make([]outcome, 0, len(order))
	for _, name := range order {
		all = append(all, checkOne(by[name], t, clean, seed))
		all[len(all)-1].name = name
	}
	return all
}

// rank is the place of a degradation among the named ones.
func rank(d degradation) int { return slices.Index(named(), d) }

func checkOne(seen []observation, t *sight.Table, clean float64, seed uint64) outcome {
	o := outcome{kind: seen[0].Degradation.Kind, bySize: make([]tally, len(sizes)-1)}
	photos := map[string][]observation{}
	predicted := make([]float64, len(seen))
	for i, s := range seen {
		photos[s.File] = append(photos[s.File], s)
		for k := range o.bySize {
			if s.Height >= sizes[k] && s.Height < sizes[k+1] {
				o.bySize[k].add(s)
			}
		}
		predicted[i] = t.Size(s.Condition)
		if s.Height >= predicted[i] {
			o.above.add(s)
		}
	}
	o.photos = len(photos)
	o.painted = paintedSight(seen)
	slices.Sort(predicted)
	o.predicted = predicted[len(predicted)/2]
	observe := func(seen []observation) float64 { return max(clean, sightOf(seen, false)) }
	if o.kind == "clean" {
		observe = func(seen []observation) float64 { return sightOf(seen, true) }
	}
	o.observed = observe(seen)
	names := make([]string, 0, len(photos))
	for name := range photos {
		names = append(names, name)
	}
	slices.Sort(names)
	r := rand.New(rand.NewPCG(seed, 95))
	again := make([]float64, resamples)
	for i := range again {
		drawn := make([]observation, 0, len(seen))
		for range names {
			drawn = append(drawn, photos[names[r.IntN(len(names))]]...)
		}
		again[i] = observe(drawn)
	}
	slices.Sort(again)
	tail := int((1 - confidence) / 2 * resamples)
	o.low, o.high = again[tail], again[resamples-1-tail]
	return o
}

// paintedSight returns the median of the sights that painted faces show, each picture's once; NaN if
// there are none.
func paintedSight(seen []observation) float64 {
	by := map[int]float64{}
	for _, s := range seen {
		if s.Painted != nil {
			by[s.Picture] = cmp.Or(*s.Painted, math.Inf(1))
		}
	}
	all := slices.Sorted(maps.Values(by))
	if len(all) == 0 {
		return math.NaN()
	}
	return all[len(all)/2]
}

// Grid of the curves that are tried for one condition: the size from which on the certain share is
// found, how steep it is, and what is missed at any size.
const (
	classesPerOctave = 8
	sizesPerOctave   = 16
)

var (
	steepness = []float64{1, 1.5, 2, 3, 4, 6, 8}
	missedAny = []float64{0, 0.01, 0.02, 0.03}
)

// sightOf returns the size from which on the certain share of the faces is found in one condition, by
// the most likely logistic curve. Without absolute only those faces count that are
// found in the clean picture. It is infinite if no size up to the largest is certain.
func sightOf(seen []observation, absolute bool) float64 {
	first := math.Log2(minHeight * 0.7)
	classes := make([]tally, int((math.Log2(maxHeight)-first+1)*classesPerOctave))
	for _, s := range seen {
		if absolute || s.Clean {
			classes[min(max(int((math.Log2(s.Height)-first)*classesPerOctave), 0), len(classes)-1)].add(s)
		}
	}
	best, size := math.Inf(-1), math.Inf(1)
	try := func(at float64, probability func(h float64) float64) {
		likelihood := 0.0
		for i, c := range classes {
			if c.faces == 0 {
				continue
			}
			p := min(max(probability(first+(float64(i)+0.5)/classesPerOctave), 1e-6), 1-1e-6)
			likelihood += float64(c.missed)*math.Log(p) + float64(c.faces-c.missed)*math.Log(1-p)
		}
		if likelihood > best {
			best, size = likelihood, at
		}
	}
	for at := first; at <= math.Log2(maxHeight)+2; at += 1.0 / sizesPerOctave {
		for _, k := range steepness {
			for _, floor := range missedAny {
				q := (1 - certain - floor) / (1 - floor)
				offset := math.Log((1 - q) / q)
				try(math.Exp2(at), func(h float64) float64 { return floor + (1-floor)/(1+math.Exp(k*(h-at)+offset)) })
			}
		}
	}
	if size > maxHeight {
		return math.Inf(1)
	}
	return size
}

// write prints the tables of the documentation.
func write(w io.Writer, all []outcome) {
	fmt.Fprintln(w, "| condition | photographs | predicted | observed (95 %) | predicted / observed | painted | painted / observed |",
		"missed from the predicted size on |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	better, apart := 0, 0
	var total tally
	for _, o := range all {
		fmt.Fprintf(w, "| %s | %d | %s | %s (%s–%s) | %s | %s | %s | %s |\n", o.label(), o.photos, pixels(o.predicted),
			pixels(o.observed), pixels(o.low), pixels(o.high), quotient(o.ratio()), pixels(o.painted), quotient(o.painted/o.observed), o.above)
		total.faces, total.missed = total.faces+o.above.faces, total.missed+o.above.missed
		if o.ratio() < 1 {
			better++
		}
		if r := o.ratio(); r < 1/agreement || r > agreement {
			apart++
		}
	}
	fmt.Fprintf(w, "\nOf %d conditions %d are predicted better than observed, and %d are apart by more than a factor of %g. ", len(all), better, apart, agreement)
	fmt.Fprintf(w, "From the predicted size on %s are missed.\n\n", total)
	head := make([]string, len(sizes)-1)
	for i := range head {
		head[i] = fmt.Sprintf("%g–%g px", sizes[i], sizes[i+1])
	}
	fmt.Fprintf(w, "| condition | %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, o := range all {
		cells := make([]string, len(o.bySize))
		for i, t := range o.bySize {
			cells[i] = t.String()
		}
		fmt.Fprintf(w, "| %s | %s |\n", o.label(), strings.Join(cells, " | "))
	}
}

// label is the condition's kind, and its amounts where they do not say it.
func (o *outcome) label() string {
	if strings.HasPrefix(o.name, o.kind) {
		return o.name
	}
	return o.kind + ": " + o.name
}

func pixels(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if math.IsInf(v, 1) {
		return fmt.Sprintf("> %d", maxHeight)
	}
	return fmt.Sprintf("%.0f", v)
}

func quotient(v float64) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}
