package measure

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure/plot"
	"scrim/redact/geom"
)

func TestSharesArePercentOrFractions(t *testing.T) {
	for text, want := range map[string]float64{"0.1%": 0.001, "2 %": 0.02, "100%": 1, "0": 0, "0.25": 0.25, "1": 1} {
		var s Share
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		require.InDelta(t, want, float64(s), 1e-15, text)
	}
	for _, text := range []string{"", "%", "2", "101%", "-1%", "NaN", "x", "1e999"} {
		require.Error(t, new(Share).UnmarshalText([]byte(text)), text)
	}
}

// flawed is a result in which something is wrong with everything.
func flawed(t *testing.T, file string) *Result {
	t.Helper()
	big := func(p int) TrueFace {
		return TrueFace{Person: p, Box: geom.Box{X: 10 + 100*float64(p), Y: 100, W: 50, H: 60}, Visible: 1}
	}
	p := script(10, func(int) []TrueFace { return []TrueFace{big(0), big(1)} }, func(i int) []Region {
		out := []Region{veil(big(0)), {Box: geom.Box{X: 300, Y: 0, W: 60, H: 200}, Face: geom.Box{X: 310, Y: 10, W: 20, H: 20}, Source: "held", Track: 9}}
		if i != 3 && i != 4 {
			out = append(out, veil(big(1)))
		}
		return out
	})
	p.Truth.File = file
	return score(t, Options{}, p)
}

func TestLimitsNameWhatIsBeyondThem(t *testing.T) {
	r := flawed(t, "a.mp4") // 2 of 20 exposed, run of 2, false 10 %, obscured 10 % and more
	share := func(v float64) *Share { s := Share(v); return &s }
	number := func(v int) *int { return &v }
	for name, c := range map[string]struct{ kept, broken Limits }{
		"exposed share is 10.0 % (2 of 20 face frames), more than 9.9 %":  {Limits{MaxExposed: share(0.1)}, Limits{MaxExposed: share(0.099)}},
		"longest run of exposed frames is 2, more than 1":                 {Limits{MaxRun: number(2)}, Limits{MaxRun: number(1)}},
		"falsely obscured area is 10.0 %, more than 2 %":                  {Limits{MaxFalseArea: share(0.1)}, Limits{MaxFalseArea: share(0.02)}},
		"obscured area is 22.5 %, more than 10 %":                         {Limits{MaxArea: share(0.25)}, Limits{MaxArea: share(0.1)}},
		"mean coverage is 90.0 %, less than 99 %":                         {Limits{MinCoverage: share(0.9)}, Limits{MinCoverage: share(0.99)}},
		"recall is 90.0 %, less than 95 %":                                {Limits{MinRecall: share(0.9)}, Limits{MinRecall: share(0.95)}},
		"share of steady people held is 50.0 % (1 of 2), less than 100 %": {Limits{MinSteady: share(0.5)}, Limits{MinSteady: share(1)}},
		"more than 0.1 %; longest run of exposed frames is 2, more than 1; falsely": {
			Limits{}, Limits{MaxExposed: share(0.001), MaxRun: number(1), MaxFalseArea: share(0)},
		},
	} {
		require.NoError(t, c.kept.Check(r), name)
		require.ErrorContains(t, c.broken.Check(r), name)
	}
}

func TestLimitsDoNotPassOnNothing(t *testing.T) {
	r := score(t, Options{}, script(3, func(int) []TrueFace { return nil }, func(int) []Region { return nil }))
	zero, all := Share(1), 100
	for _, l := range []Limits{{MaxExposed: &zero}, {MaxRun: &all}, {MinRecall: new(Share)}, {MinSteady: new(Share)}, {MinCoverage: new(Share)}} {
		require.ErrorContains(t, l.Check(r), "not measured")
	}
	require.NoError(t, Limits{MaxFalseArea: &zero}.Check(r))
}

func TestTableSaysWhoWasExposedAndWhen(t *testing.T) {
	var out strings.Builder
	require.NoError(t, flawed(t, "a.mp4").WriteTable(&out))
	for _, want := range []string{
		`faces in all frames +20 +0\n`, `exposed \(less than 95 % covered\) +2, 10\.0 % +0, –\n`, `longest run of exposed frames +2 +0\n`,
		`exposed face-seconds per hour +720\.0`, `falsely obscured area, mean and most +10\.0 % +10\.0 % +\(a\.mp4 frame 0\)`,
		`48–96 +20 +90\.0 %`, `no face +0 +– `, `a\.mp4 +1 +3–4 +2 +2\.00 +0 % +60 +0 +100 %\n`,
	} {
		require.Regexp(t, want, out.String())
	}
	require.ErrorIs(t, flawed(t, "a").WriteTable(broken{}), errBroken)
}

var errBroken = errors.New("no space")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestPageStandsAloneAndEscapesNames(t *testing.T) {
	var out strings.Builder
	require.NoError(t, flawed(t, `<script>alert("x")</script>&.mp4`).WriteHTML(&out))
	page := out.String()
	require.NotContains(t, page, "<script")
	require.Empty(t, regexp.MustCompile(`(?i)(src=|href=|url\(|@import|https?:)`).FindAllString(page, -1))
	require.NotContains(t, page, "ZgotmplZ")
	require.NotContains(t, page, "NaN")
	require.Contains(t, page, `class="exposed"`)
	require.Equal(t, 2, strings.Count(page, "<polyline"))
	require.Regexp(t, `points="0,[\d.]+ `, page)

	// The plots are well-formed.
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, svg)
		}
	}
	require.ErrorIs(t, flawed(t, "a").WriteHTML(broken{}), errBroken)
}

func TestOneExposedFrameOfManyIsSeenOnThePage(t *testing.T) {
	p := Person{spans: []span{{0, 5000, covered}, {5000, 5000.04, exposed}, {5000.04, 90000, covered}, {90000, 100000, hard}}}
	parts := p.parts(100000)
	require.Equal(t, []plot.Part{{X: 0, W: 45, Class: "covered"}, {X: 45, W: 1, Class: "exposed"}, {X: 46, W: 764, Class: "covered"},
		{X: 810, W: 90, Class: "hard"}}, parts)
	require.Nil(t, p.parts(0))
}

func TestJSONHasNullWhereNothingWasMeasured(t *testing.T) {
	b, err := json.Marshal(score(t, Options{}, script(1, func(int) []TrueFace { return nil }, func(int) []Region { return nil })))
	require.NoError(t, err)
	require.Contains(t, string(b), `"recall":null`)
	require.Contains(t, string(b), `"leaks":[]`)
	require.Contains(t, string(b), `"people":[]`)
}
