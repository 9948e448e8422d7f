package jupyter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Connection is the content of a connection file.
type Connection struct {
	Transport string `json:"transport"`
	IP        string `json:"ip"`
	Shell     int    `json:"shell_port"`
	IOPub     int    `json:"iopub_port"`
	Stdin     int    `json:"stdin_port"`
	Control   int    `json:"control_port"`
	Heartbeat int    `json:"hb_port"`
	Key       string `json:"key"`
	Scheme    string `json:"signature_scheme"`
}

// NewConnection describes sockets in a private folder: unlike TCP ports, nobody
// else can take or reach them.
func NewConnection(dir string) Connection {
	return Connection{Transport: "ipc", IP: filepath.Join(dir, "s"), Shell: 1, IOPub: 2, Stdin: 3, Control: 4,
		Heartbeat: 5,
		Key:       newID(), Scheme: "hmac-sha256"}
}

// WriteFile writes the connection file.
func (c Connection) WriteFile(path string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("jupyter: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("jupyter: %w", err)
	}
	return nil
}

func (c Connection) address(port int) string {
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	return fmt.Sprintf("%s://%s:%d", c.Transport, c.IP, port)
}

// Client is one front end of a kernel.
type Client struct {
	conn    Connection
	session string
	shell   zmq4.Socket
	control zmq4.Socket
	stdin   zmq4.Socket
	iopub   zmq4.Socket
	done    <-chan struct{} // closed by cancel
	cancel  context.CancelFunc

	// Messages of each channel; closed when the client is. Read them all: a
	// channel that nobody reads holds up its socket.
	Shell, Stdin, IOPub <-chan *Message
}

// Dial connects to a kernel, waiting for its sockets until ctx ends.
func Dial(ctx context.Context, conn Connection) (*Client, error) {
	if err := awaitSockets(ctx, conn); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.Background())
	c := &Client{conn: conn, session: newID(), done: life.Done(), cancel: cancel}
	// GoNB answers control requests on the shell socket, and asks for input
	// on stdin by the identity it knows from shell: one identity for all.
	id := zmq4.WithID(zmq4.SocketIdentity(c.session))
	c.shell, c.control, c.stdin = zmq4.NewDealer(life, id), zmq4.NewDealer(life, id), zmq4.NewDealer(life, id)
	c.iopub = zmq4.NewSub(life)
	// A kernel that hangs before the handshake would hold us, too.
	connected := make(chan error, 1)
	go func() { connected <- c.connect() }()
	select {
	case err := <-connected:
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("jupyter: connecting to the kernel: %w", err)
		}
	case <-ctx.Done():
		cancel()
		go func() { // closing before it has connected would leave its connections open
			<-connected
			c.Close()
		}()
		return nil, fmt.Errorf("jupyter: the kernel does not answer on its sockets: %w", context.Cause(ctx))
	}
	c.Shell, c.Stdin, c.IOPub = c.receive(c.shell), c.receive(c.stdin), c.receive(c.iopub)
	return c, nil
}

func (c *Client) connect() error {
	sockets := []struct {
		socket zmq4.Socket
		port   int
	}{{c.shell, c.conn.Shell}, {c.control, c.conn.Control}, {c.stdin, c.conn.Stdin}, {c.iopub, c.conn.IOPub}}
	for _, s := range sockets {
		if err := s.socket.Dial(c.conn.address(s.port)); err != nil {
			return err
		}
	}
	return c.iopub.SetOption(zmq4.OptionSubscribe, "")
}

func awaitSockets(ctx context.Context, conn Connection) error {
	if conn.Transport != "ipc" {
		return nil
	}
	for _, port := range []int{conn.Shell, conn.Control, conn.Stdin, conn.IOPub} {
		path := strings.TrimPrefix(conn.address(port), "ipc://")
		for {
			if _, err := os.Stat(path); err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("jupyter: the kernel has not opened its sockets: %w", context.Cause(ctx))
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}

// receive pumps a socket into a channel until the client closes or the kernel
// ends. Messages that are not ours to understand are dropped.
func (c *Client) receive(socket zmq4.Socket) <-chan *Message {
	out := make(chan *Message, 64)
	go func() {
		defer c.drain(socket)
		defer close(out)
		for {
			msg, err := socket.Recv()
			if err != nil {
				return
			}
			m, err := decode([]byte(c.conn.Key), msg.Frames)
			if err != nil {
				continue
			}
			select {
			case out <- m:
			case <-c.done:
				return
			}
		}
	}()
	return out
}

// drain empties the queue of a closed socket: zmq4's reader waits forever for
// room in it. A closed socket's Recv takes a message, or fails, by chance: once
// it has failed nothing but a last message can come, and then there are more
// Recv than the 10 messages the queue holds.
func (c *Client) drain(socket zmq4.Socket) {
	select {
	case <-c.done:
	default:
		return // the kernel ended, and zmq4's reader with it
	}
	var err error
	for !errors.Is(err, context.Canceled) {
		_, err = socket.Recv()
	}
	for range 64 {
		socket.Recv()
	}
}

func (c *Client) send(socket zmq4.Socket, kind string, content any) (id string, err error) {
	h := newHeader(c.session, kind)
	msg, err := encode([]byte(c.conn.Key), h, content)
	if err == nil {
		err = socket.Send(msg)
	}
	if err != nil {
		return "", fmt.Errorf("jupyter: sending %s: %w", kind, err)
	}
	return h.ID, nil
}

// Execute asks the kernel to run code, and returns the request's id. Quiet
// code leaves no trace in the kernel's history.
func (c *Client) Execute(code string, quiet bool) (id string, err error) {
	return c.send(c.shell, "execute_request", map[string]any{
		// GoNB crashes on requests without silent or store_history.
		"code": code, "silent": false, "store_history": !quiet, "user_expressions": map[string]any{},
		"allow_stdin": false, "stop_on_error": true,
	})
}

// KernelInfo asks for the kernel's description.
func (c *Client) KernelInfo() (id string, err error) {
	return c.send(c.shell, "kernel_info_request", map[string]any{})
}

// Close closes the sockets. It may be called more than once.
func (c *Client) Close() {
	c.cancel()
	for _, s := range []zmq4.Socket{c.shell, c.control, c.stdin, c.iopub} {
		if s != nil {
			s.Close()
		}
	}
}
