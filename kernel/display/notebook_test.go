package display

import (
	"encoding/gob"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// cells are the programs that runCell runs as GoNB would: in a process of their own, with pipes named in the
// environment.
var cells = map[string]func(){
	"all": func() {
		Must(Figure("surface", "a surface with three wells", testPNG(40, 30), testSVG))
		Must(Figure("line", "a line", nil, testSVG))
		NewTable("flow", "JS").Row("biased", PlusMinus(0.0123, 0.0012)).Show()
		Markdown("The *end* of $x$")
		Must(Result("a/js", 0.01234, Error(0.0012), Floor(0.01), Unit("kT"), N(10)))
		bar := NewBar("flow")
		for i := range 4 {
			bar.Update(i+1, 4, "loss 0.1")
		}
	},
	"panic": func() { Must(errors.New("display: the reason")) },
}

func TestMain(m *testing.M) {
	if cell := cells[os.Getenv("DISPLAY_TEST_CELL")]; cell != nil {
		cell()
		return
	}
	os.Exit(m.Run())
}

// runCell runs a cell with both of GoNB's pipes, and returns what it displayed and its standard error.
// It decodes and acknowledges as GoNB v0.11.4 does (internal/jpyexec/namedpipes.go).
func runCell(t *testing.T, name, dir string) ([]*protocol.DisplayData, string, error) {
	t.Helper()
	there, back := filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "back")
	for _, path := range []string{there, back} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skipf("no named pipes on this system: %v", err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DISPLAY_TEST_CELL="+name, RunDirEnv+"="+dir,
		protocol.GONB_PIPE_ENV+"="+there, protocol.GONB_PIPE_BACK_ENV+"="+back)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	gob.Register(map[string]any{})
	// Opened for both directions, a pipe does not wait for its other end, nor end before it is closed.
	r, err := os.OpenFile(there, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(back, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var shown []*protocol.DisplayData
	finished := make(chan error, 1)
	go func() { finished <- serve(r, w, &shown) }()
	runErr := cmd.Run()
	r.SetReadDeadline(time.Now().Add(time.Second)) // everything has been acknowledged by now
	if err := <-finished; err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("decoding what the cell displayed: %v", err)
	}
	return shown, stderr.String(), runErr
}

func serve(r io.ReadCloser, w io.Writer, shown *[]*protocol.DisplayData) error {
	defer r.Close()
	dec, enc := gob.NewDecoder(r), gob.NewEncoder(w)
	for {
		data := &protocol.DisplayData{}
		if err := dec.Decode(data); err != nil {
			return err
		}
		request, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue)
		if !ok {
			*shown = append(*shown, data)
			continue
		}
		if err := enc.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress,
			Value: request.Value}); err != nil {
			return err
		}
	}
}

func TestInNotebook(t *testing.T) {
	dir := t.TempDir()
	shown, stderr, err := runCell(t, "all", dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if len(shown) != 9 {
		t.Fatalf("got %d displays, want 2 figures with what they show, a table, markdown, a result, and the bar's first "+
			"and last state", len(shown))
	}
	for i, d := range shown {
		if text, _ := d.Data[protocol.MIMETextPlain].(string); text == "" {
			t.Errorf("display %d has no plain-text form: %v", i, d.Data)
		}
	}
	png, svg := shown[0], shown[2]
	if data, _ := png.Data[protocol.MIMEImagePNG].([]byte); string(data) != string(testPNG(40, 30)) {
		t.Error("the PNG did not arrive as it was")
	}
	if alt := png.Metadata["image/png"].(map[string]any)["alt"]; alt != "a surface with three wells" {
		t.Errorf("alternative text %q", alt)
	}
	if shown[1].Data[protocol.MIMETextMarkdown] != "*a surface with three wells*" {
		t.Errorf("below the picture: %v", shown[1].Data)
	}
	if svg.Data[protocol.MIMEImageSVG] != string(testSVG) || svg.Metadata["image/svg+xml"] == nil {
		t.Errorf("SVG displayed as %v, %v", svg.Data, svg.Metadata)
	}
	if table, _ := shown[4].Data[protocol.MIMETextHTML].(string); !strings.Contains(table, "<table>") {
		t.Errorf("table displayed as %v", shown[4].Data)
	}
	if shown[5].Data[protocol.MIMETextMarkdown] != "The *end* of $x$" {
		t.Errorf("markdown displayed as %v", shown[5].Data)
	}
	if shown[6].Data[protocol.MIMETextPlain] != "a/js = 0.0123 ± 0.0012 kT (floor 0.01000, n = 10)" {
		t.Errorf("result displayed as %v", shown[6].Data)
	}
	first, last := shown[7], shown[8]
	if first.DisplayID == "" || first.DisplayID != last.DisplayID {
		t.Errorf("the bar's displays have ids %q and %q, want one", first.DisplayID, last.DisplayID)
	}
	if text := last.Data[protocol.MIMETextPlain].(string); !strings.HasPrefix(text, "flow  100 % 4/4  loss 0.1  ") {
		t.Errorf("the bar ends as %q", text)
	}
	if html := last.Data[protocol.MIMETextHTML].(string); !strings.Contains(html, `<progress value="4" max="4">`) {
		t.Errorf("the bar ends as %q", html)
	}
	for _, name := range []string{"figures/surface.png", "figures/surface.svg", "figures/line.svg", result.FileName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "figures/line.png")); err == nil {
		t.Error("saved a PNG that was not given")
	}
}

// TestMust: the cell fails and its standard error says why, without quotes or types around it.
func TestMust(t *testing.T) {
	_, stderr, err := runCell(t, "panic", t.TempDir())
	if err == nil || !strings.Contains(stderr, "panic: display: the reason") {
		t.Errorf("got %v, stderr %q", err, stderr)
	}
}
