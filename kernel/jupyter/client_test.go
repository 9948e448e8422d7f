package jupyter

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// fake is a kernel that answers each request on the socket it came from, and
// publishes its type.
type fake struct {
	conn     Connection
	sockets  map[int]zmq4.Socket
	requests chan *Message
	hellos   chan struct{} // a client's socket is connected
	forge    bool          // publish a forged message before each true one
}

func startFake(t *testing.T, forge bool) *fake {
	t.Helper()
	f := &fake{conn: NewConnection(shortDir(t)), sockets: map[int]zmq4.Socket{}, requests: make(chan *Message, 16),
		hellos: make(chan struct{}, 16), forge: forge}
	t.Cleanup(f.close)
	for _, port := range []int{f.conn.Shell, f.conn.IOPub, f.conn.Stdin, f.conn.Control} {
		socket := zmq4.NewRouter(t.Context())
		if port == f.conn.IOPub {
			socket = zmq4.NewPub(t.Context())
		}
		f.sockets[port] = socket
		if err := socket.Listen(f.conn.address(port)); err != nil {
			t.Fatal(err)
		}
	}
	go f.serve(f.sockets[f.conn.Shell])
	go f.serve(f.sockets[f.conn.Control])
	go f.serve(f.sockets[f.conn.Stdin])
	return f
}

// shortDir is a folder for sockets, whose paths are limited to some 100 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "j")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (f *fake) close() {
	for _, s := range f.sockets {
		s.Close()
	}
}

func (f *fake) serve(socket zmq4.Socket) {
	for {
		msg, err := socket.Recv()
		if err != nil {
			return
		}
		m, err := decode([]byte(f.conn.Key), msg.Frames)
		if err != nil {
			continue
		}
		if m.Header.Type == "hello" {
			f.hellos <- struct{}{}
			continue
		}
		f.requests <- m
		f.answer(f.sockets[f.conn.IOPub], f.conn.Key, "stream", m)
		socket.Send(f.message(f.conn.Key, strings.Replace(m.Header.Type, "_request", "_reply", 1), m, msg.Frames[0]))
	}
}

func (f *fake) answer(socket zmq4.Socket, key, kind string, parent *Message) {
	if f.forge {
		socket.Send(f.message("forged", "forged", parent, []byte("topic")))
		socket.Send(zmq4.NewMsgString("no message of the protocol"))
	}
	socket.Send(f.message(key, kind, parent, []byte("topic")))
}

func (f *fake) message(key, kind string, parent *Message, first []byte) zmq4.Msg {
	header, _ := json.Marshal(newHeader("kernel", kind))
	about, _ := json.Marshal(parent.Header)
	parts := [][]byte{header, about, []byte("{}"), []byte(`{"status": "ok"}`)}
	return zmq4.NewMsgFrom(append([][]byte{first, []byte(delimiter), []byte(sign([]byte(key), parts))}, parts...)...)
}

// dial connects a client, and waits until all its sockets are connected at the
// kernel's end, too: zmq4 forgets a connection that is new when a socket closes.
func (f *fake) dial(t *testing.T) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := Dial(ctx, f.conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, socket := range []zmq4.Socket{c.shell, c.control, c.stdin} {
		if _, err := c.send(socket, "hello", nil); err != nil {
			t.Fatal(err)
		}
		select {
		case <-f.hellos:
		case <-time.After(patience):
			t.Fatal("a socket did not connect")
		}
	}
	pub := f.sockets[f.conn.IOPub].(zmq4.Topics)
	await(t, "the subscription", func() bool { return len(pub.Topics()) > 0 })
	return c
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

func next(t *testing.T, messages <-chan *Message) *Message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
		return nil
	}
}

// TestExecute: a request says what GoNB needs, and what answers it bears its id;
// forged messages are dropped.
func TestExecute(t *testing.T) {
	defer noGoroutines(t)
	for _, quiet := range []bool{false, true} {
		f := startFake(t, true)
		c := f.dial(t)
		id, err := c.Execute("%%\na := 1", quiet)
		if err != nil {
			t.Fatal(err)
		}
		request := next(t, f.requests)
		if request.Header.ID != id || request.Header.Type != "execute_request" || request.Header.Session != c.session {
			t.Errorf("got %+v, want an execute_request %s", request.Header, id)
		}
		var content map[string]any
		if err := json.Unmarshal(request.Content, &content); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{"code": "%%\na := 1", "silent": false, "store_history": !quiet,
			"allow_stdin": false} {
			if got, ok := content[name]; !ok || got != want {
				t.Errorf("quiet %v: %s: got %v, want %v", quiet, name, got, want)
			}
		}
		if m := next(t, c.IOPub); m.Header.Type != "stream" || m.Parent.ID != id {
			t.Errorf("published: got %s of %s, want stream of %s", m.Header.Type, m.Parent.ID, id)
		}
		if m := next(t, c.Shell); m.Header.Type != "execute_reply" || m.Parent.ID != id {
			t.Errorf("answer: got %s of %s, want execute_reply of %s", m.Header.Type, m.Parent.ID, id)
		}
		c.Close()
		f.close()
	}
}

func TestOtherRequests(t *testing.T) {
	f := startFake(t, false)
	c := f.dial(t)
	id, err := c.KernelInfo()
	if err != nil {
		t.Fatal(err)
	}
	if m := next(t, f.requests); m.Header.Type != "kernel_info_request" || m.Header.ID != id {
		t.Errorf("got %+v, want kernel_info_request %s", m.Header, id)
	}
	if m := next(t, c.Shell); m.Header.Type != "kernel_info_reply" || m.Parent.ID != id {
		t.Errorf("got %s of %s, want kernel_info_reply of %s", m.Header.Type, m.Parent.ID, id)
	}
	if err := c.shutdown(); err != nil {
		t.Fatal(err)
	}
	m := next(t, f.requests)
	if m.Header.Type != "shutdown_request" || string(m.Content) != `{"restart":false}` {
		t.Errorf("got %s %s, want shutdown_request without restart", m.Header.Type, m.Content)
	}
}

// TestClose: closing ends the channels, also where nobody reads and the queues
// are full.
func TestClose(t *testing.T) {
	defer noGoroutines(t)
	f := startFake(t, false)
	c := f.dial(t)
	parent := &Message{Header: newHeader("s", "execute_request")}
	for range 500 { // more than the queues of c (64) and of zmq4 (10) hold
		f.answer(f.sockets[f.conn.IOPub], f.conn.Key, "stream", parent)
	}
	await(t, "a full queue", func() bool { return len(c.IOPub) == cap(c.IOPub) })
	c.Close()
	c.Close()
	for _, messages := range []<-chan *Message{c.IOPub, c.Shell, c.Stdin} {
		await(t, "the end of a channel", func() bool {
			for {
				select {
				case _, ok := <-messages:
					if ok {
						continue
					}
					return true
				default:
					return false
				}
			}
		})
	}
	if _, err := c.KernelInfo(); err == nil {
		t.Error("a closed client sent a request")
	}
	f.close()
}

// TestKernelEnds: the channels end with the kernel.
func TestKernelEnds(t *testing.T) {
	defer noGoroutines(t)
	f := startFake(t, false)
	c := f.dial(t)
	f.close()
	for _, messages := range []<-chan *Message{c.IOPub, c.Shell, c.Stdin} {
		select {
		case m, ok := <-messages:
			if ok {
				t.Errorf("got %+v, want the end of the channel", m)
			}
		case <-time.After(patience):
			t.Fatal("a channel outlives the kernel")
		}
	}
	c.Close()
}

func TestDialEnds(t *testing.T) {
	defer noGoroutines(t)
	reason := errors.New("the kernel died")
	t.Run("no sockets", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if _, err := Dial(ctx, NewConnection(shortDir(t))); !errors.Is(err, reason) {
			t.Errorf("got %v, want %v", err, reason)
		}
	})
	t.Run("no handshake", func(t *testing.T) {
		conn := NewConnection(shortDir(t))
		for _, port := range []int{conn.Shell, conn.IOPub, conn.Stdin, conn.Control} {
			l, err := net.Listen("unix", strings.TrimPrefix(conn.address(port), "ipc://"))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() // lets the handshake fail, for noGoroutines
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(reason) })
		if _, err := Dial(ctx, conn); !errors.Is(err, reason) {
			t.Errorf("got %v, want %v", err, reason)
		}
	})
}

// noGoroutines waits until nothing of clients and sockets runs any more, but
// for a goroutine that zmq4 never ends: the writer of a PUB socket, the fake's.
func noGoroutines(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var left []string
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			ours := strings.Contains(stack, "go-zeromq/zmq4.") || strings.Contains(stack, "jupyter.(*")
			if ours && !strings.Contains(stack, "(*pubMWriter).run") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("goroutines left:\n%s", strings.Join(left, "\n\n"))
			return
		}
	}
}

// shutdown asks the kernel to end.
func (c *Client) shutdown() error {
	_, err := c.send(c.control, "shutdown_request", map[string]any{"restart": false})
	return err
}
