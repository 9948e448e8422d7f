package display

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/result"
)

var testSVG = []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)

func testPNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestNumber(t *testing.T) {
	tests := []struct {
		value, err float64
		want       string
	}{
		{0.012345, 0.000678, "0.01235 ± 0.00068"},
		{0.5, 0.0996, "0.50 ± 0.10"}, // rounds up to another digit
		{0.5, 0.0994, "0.500 ± 0.099"},
		{12345, 678, "12350 ± 680"},
		{-1.5, 0.25, "-1.50 ± 0.25"},
		{0, 0.25, "0.00 ± 0.25"},
		{1, 20, "1 ± 20"},
		{1.2345e-7, 5.6e-9, "(1.235 ± 0.056)e-7"},
		{4e9, 2e7, "(4.000 ± 0.020)e9"},
		{0.123456, 0, "0.1235"},
		{0.123456, -1, "0.1235"},
		{0.123456, math.NaN(), "0.1235"},
		{0.123456, math.Inf(1), "0.1235"},
		{math.NaN(), 0.1, "–"},
		{math.Inf(-1), 0, "-∞"},
		{42, 0, "42"},
		{0, 0, "0"},
		{123456.7, 0, "123457"},
		{0.00012345, 0, "0.0001235"},
		{1.2345e-9, 0, "1.235e-9"},
	}
	for _, test := range tests {
		if test.want == "0.0001235" || test.want == "1.235e-9" || test.want == "(1.235 ± 0.056)e-7" {
			test.value *= 1 + 1e-12 // off the tie, which the binary number may be on either side of
		}
		if got := PlusMinus(test.value, test.err).String(); got != test.want {
			t.Errorf("%g ± %g: got %q, want %q", test.value, test.err, got, test.want)
		}
	}
}

func TestTable(t *testing.T) {
	table := NewTable("flow", "JS", "n").
		Row("unbiased", PlusMinus(0.0123, 0.0012), 10_000).
		Row("biased <b>", PlusMinus(10.5, 0.25), 9).
		Row("exact", 3.0, nil).
		Row("none", "k̂ > 0.7: not reliable")
	want := strings.Join([]string{
		"flow                           JS      n",
		"──────────  ─────────────────────  ─────",
		"unbiased          0.0123 ± 0.0012  10000",
		"biased <b>       10.50   ± 0.25        9",
		"exact             3",
		"none        k̂ > 0.7: not reliable",
		"",
	}, "\n")
	if got := table.String(); strings.ReplaceAll(got, " \n", "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	html := table.HTML()
	if !strings.Contains(html, "biased &lt;b&gt;") || strings.Contains(html, "<b>") {
		t.Error("text is not escaped")
	}
	if !strings.Contains(html, " 0.0123 ± 0.0012") {
		t.Errorf("no blank of a digit's width before the shorter number: %s", html)
	}
	if NewTable().String() != "\n\n" || NewTable("a").Row(1, 2).HTML() == "" {
		t.Error("a table without columns, or a row with more cells than columns")
	}
}

func TestResult(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(RunDirEnv, dir)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func() []byte {
		must(Result("flow/js", math.Nextafter(0.3, 1), Error(1e-3), Floor(0.05), Unit("kT"), N(1000)))
		must(Result("flow/ess", 1, N(3)))
		must(Record("f32", float32(0.1)))
		must(Result("verdict", "not reliable: k̂ > 0.7 & <few>"))
		must(Result("ok", true))
		must(Result("nan", math.NaN(), Error(math.Inf(1)), Floor(math.NaN())))
		must(Result("none", nil))
		must(Result("steps", uint8(7), Error(0.5)))
		must(Result("flow/ess", 0.25)) // again: replaced, in its place
		data, err := os.ReadFile(filepath.Join(dir, result.FileName))
		must(err)
		return data
	}
	first := run()
	want := `[
  {"name":"flow/js","value":0.30000000000000004,"error":0.001,"floor":0.05,"unit":"kT","n":1000},
  {"name":"flow/ess","value":0.25,"error":null,"floor":null,"unit":null,"n":null},
  {"name":"f32","value":0.1,"error":null,"floor":null,"unit":null,"n":null},
  {"name":"verdict","value":"not reliable: k̂ > 0.7 & <few>","error":null,"floor":null,"unit":null,"n":null},
  {"name":"ok","value":true,"error":null,"floor":null,"unit":null,"n":null},
  {"name":"nan","value":null,"error":null,"floor":null,"unit":null,"n":null},
  {"name":"none","value":null,"error":null,"floor":null,"unit":null,"n":null},
  {"name":"steps","value":7,"error":0.5,"floor":null,"unit":null,"n":null}
]
`
	if string(first) != want {
		t.Errorf("got\n%s\nwant\n%s", first, want)
	}
	if !json.Valid(first) {
		t.Error("not JSON")
	}
	if again := run(); !bytes.Equal(first, again) {
		t.Errorf("an equal run gave other bytes:\n%s", again)
	}
	must(Summary("flow/", "ok"))
	must(Summary())
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
}

func TestResultErrors(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(RunDirEnv, dir)
	if Result("", 1) == nil || Result("x", []int{1}) == nil || Result("x", struct{}{}) == nil {
		t.Error("accepted a result without a name, or of a type that is no number, string or bool")
	}
	path := filepath.Join(dir, result.FileName)
	if err := os.WriteFile(path, []byte(`[{"name":`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Result("x", 1); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken results file: got %v, want an error that names it", err)
	}
	if err := Summary(); err == nil {
		t.Error("a broken results file was summarised")
	}
}

// TestOutside: without a notebook and without a run's folder things are printed, and no file is written.
func TestOutside(t *testing.T) {
	t.Setenv(RunDirEnv, "")
	dir := t.TempDir()
	t.Chdir(dir)
	if err := Result("x", 1.5); err != nil {
		t.Error(err)
	}
	if err := Figure("f", "a figure", testPNG(2, 2), testSVG); err != nil {
		t.Error(err)
	}
	if err := Summary(); err != nil {
		t.Error(err)
	}
	Markdown("text")
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("wrote %v", files)
	}
}

func TestFigureErrors(t *testing.T) {
	t.Setenv(RunDirEnv, t.TempDir())
	tests := []struct {
		name, alt string
		png, svg  []byte
	}{
		{"../up", "a", testPNG(2, 2), nil},
		{"", "a", testPNG(2, 2), nil},
		{".hidden", "a", testPNG(2, 2), nil},
		{"f", "", testPNG(2, 2), nil},
		{"f", "a", nil, nil},
		{"f", "a", []byte("not a PNG"), nil},
		{"f", "a", testPNG(2, 2), []byte("not an SVG")},
	}
	for _, test := range tests {
		if err := Figure(test.name, test.alt, test.png, test.svg); err == nil {
			t.Errorf("accepted %q, %q, %d bytes of PNG, %q", test.name, test.alt, len(test.png), test.svg)
		}
	}
	if files, _ := os.ReadDir(RunDir()); len(files) > 0 {
		t.Errorf("a refused figure left %v", files)
	}
}

// TestResolution: a pHYs chunk of 11811 pixels per meter is 300 to the inch (PNG, Third Edition, §11.3.4.3).
func TestResolution(t *testing.T) {
	plain := testPNG(600, 2)
	if got := resolution(plain); got != 0 {
		t.Errorf("without the chunk: got %g", got)
	}
	const header = 8 + 12 + 13 // the signature, and IHDR
	phys := []byte("\x00\x00\x00\x09pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01\x78\xa5\x3f\x76")
	with := slices.Concat(plain[:header], phys, plain[header:])
	if _, err := png.Decode(bytes.NewReader(with)); err != nil {
		t.Fatal(err) // the checksum is part of the chunk
	}
	if got := resolution(with); got != 11811 {
		t.Errorf("got %g, want 11811", got)
	}
	for n := range with { // cut anywhere, it does not panic
		resolution(with[:n])
	}
}

// barAt returns a bar whose clock is set by hand and whose lines are collected.
func barAt(clock *time.Time, lines *[]string) *Bar {
	return &Bar{
		title: "flow, unbiased", now: func() time.Time { return *clock }, every: liveInterval,
		put: func(c content, _ bool) { *lines = append(*lines, c.plain) },
	}
}

func TestBarLine(t *testing.T) {
	clock := time.Unix(0, 0)
	var lines []string
	b := barAt(&clock, &lines)
	b.Update(0, 2000, "epoch 1/20")
	clock = clock.Add(30 * time.Second) // a step that is compiled says nothing of the next ones
	b.Update(100, 2000, "")
	clock = clock.Add(12 * time.Second)
	b.Update(900, 2000, "epoch 9/20\nloss 0.123")
	clock = clock.Add(15 * time.Second)
	b.Update(2000, 2000, "loss 0.1")
	b.Update(5, 0, "searching") // smaller than before: another run, of unknown length
	clock = clock.Add(time.Second)
	b.Update(10, 2000, "")
	clock = clock.Add(3*time.Hour + 7*time.Minute)
	b.Update(1500, 2000, "")
	want := []string{
		"flow, unbiased  0 % 0/2000  epoch 1/20  0 s",
		"flow, unbiased  5 % 100/2000  30 s",
		"flow, unbiased  45 % 900/2000  epoch 9/20 loss 0.123  42 s, ETA 17 s",
		"flow, unbiased  100 % 2000/2000  loss 0.1  57 s",
		"flow, unbiased  0 % 10/2000  1 s",
		"flow, unbiased  75 % 1500/2000  3 h 07 min, ETA 1 h 02 min",
	}
	b.Flush()
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// TestBarThrottle: of 1000 updates in a second at most 5 are shown, and the newest one is in the end.
func TestBarThrottle(t *testing.T) {
	clock := time.Unix(0, 0)
	var lines []string
	b := barAt(&clock, &lines)
	for i := range 1000 {
		b.Update(i, 2000, "")
		clock = clock.Add(time.Millisecond)
	}
	b.Flush()
	if len(lines) > 6 || !strings.Contains(lines[len(lines)-1], "999/2000") {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	held := make(chan string, 10) // and without Flush, the bar's own timer shows what was held back
	b = barAt(&clock, nil)
	b.put = func(c content, _ bool) { held <- c.plain }
	b.Update(1, 10, "")
	b.Update(2, 10, "")
	for _, want := range []string{"1/10", "2/10"} {
		if got := <-held; !strings.Contains(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
}

// TestContext: a signal ends the context, and so does not end the program.
func TestContext(t *testing.T) {
	ctx := Context()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("the context goes on")
	}
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "run the cell again") {
			t.Errorf("Must(interrupted) panics with %q", r)
		}
	}()
	Must(fmt.Errorf("train: step 7: %w", context.Canceled))
}

func ExampleTable() {
	fmt.Print(NewTable("flow", "JS", "n").
		Row("unbiased", PlusMinus(0.01234, 0.00121), 10000).
		Row("biased", PlusMinus(0.1052, 0.0026), 900))
	// Output:
	// flow                   JS      n
	// ────────  ───────────────  ─────
	// unbiased  0.0123 ± 0.0012  10000
	// biased    0.1052 ± 0.0026    900
}

func ExamplePlusMinus() {
	fmt.Println(PlusMinus(3.14159, 0.0268))
	// Output: 3.142 ± 0.027
}
