package display

import (
	"encoding/gob"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// content is one display in the forms a front end may choose from. The plain form is always there.
type content struct {
	plain, html, markdown, svg string
	png                        []byte
	metadata                   map[string]any
	id                         string // display that it replaces; empty for a new one
}

// channel is the program's one connection to GoNB, which gonbui keeps in the process.
type channel struct {
	mu       sync.Mutex
	register sync.Once
	dead     bool
}

var gonb channel

// patience is how long GoNB may take to acknowledge a display. gonbui waits without end if GoNB is gone.
const patience = 30 * time.Second

// show displays c and returns when GoNB has passed it on. Outside a notebook it prints the plain form.
func show(c content) {
	if !InNotebook() || !gonb.send(c) {
		fmt.Fprintln(os.Stdout, strings.TrimRight(c.plain, "\n"))
	}
}

// send passes c to GoNB and reports whether it is still there.
func (ch *channel) send(c content) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.dead {
		return false
	}
	ch.register.Do(func() { gob.Register(map[string]any{}) }) // as GoNB does: metadata is nested
	data := map[protocol.MIMEType]any{protocol.MIMETextPlain: c.plain}
	for mime, text := range map[protocol.MIMEType]string{
		protocol.MIMETextHTML:     c.html,
		protocol.MIMETextMarkdown: c.markdown,
		protocol.MIMEImageSVG:     c.svg,
	} {
		if text != "" {
			data[mime] = text
		}
	}
	if c.png != nil {
		data[protocol.MIMEImagePNG] = c.png
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		gonbui.SendData(&protocol.DisplayData{Data: data, Metadata: c.metadata, DisplayID: c.id})
		gonbui.Sync()
	}()
	select {
	case <-done:
		ch.dead = gonbui.Error() != nil
	case <-time.After(patience):
		ch.dead = true
	}
	return !ch.dead
}
