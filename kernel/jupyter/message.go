// Package jupyter speaks the Jupyter messaging protocol (version 5) to a kernel
// over ZeroMQ: as much of it as running a notebook needs.
//
// Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html
package jupyter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Header identifies a message.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

// Message is one message on a channel.
type Message struct {
	Header, Parent Header
	Metadata       map[string]any
	Content        json.RawMessage
}

// ErrSignature reports a message that was not signed with the kernel's key.
var ErrSignature = errors.New("bad signature")

const delimiter = "<IDS|MSG>"

// newID returns a random identifier.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func sign(key []byte, parts [][]byte) string {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// encode makes the frames of a message that begins a conversation.
func encode(key []byte, h Header, content any) (zmq4.Msg, error) {
	header, err := json.Marshal(h)
	if err != nil {
		return zmq4.Msg{}, err
	}
	body, err := json.Marshal(content)
	if err != nil {
		return zmq4.Msg{}, err
	}
	parts := [][]byte{header, []byte("{}"), []byte("{}"), body}
	frames := append([][]byte{[]byte(delimiter), []byte(sign(key, parts))}, parts...)
	return zmq4.NewMsgFrom(frames...), nil
}

// decode reads the frames of a message and checks its signature.
func decode(key []byte, frames [][]byte) (*Message, error) {
	start := -1
	for i, f := range frames {
		if string(f) == delimiter {
			start = i
			break
		}
	}
	if start < 0 || len(frames) < start+6 {
		return nil, fmt.Errorf("jupyter: a message of %d frames is not one of the protocol", len(frames))
	}
	parts := frames[start+2 : start+6]
	if !hmac.Equal(frames[start+1], []byte(sign(key, parts))) {
		return nil, fmt.Errorf("jupyter: %w", ErrSignature)
	}
	m := &Message{Content: parts[3]}
	for i, dst := range []any{&m.Header, &m.Parent, &m.Metadata} {
		if err := json.Unmarshal(parts[i], dst); err != nil {
			return nil, fmt.Errorf("jupyter: message part %d: %w", i, err)
		}
	}
	return m, nil
}

func newHeader(session, kind string) Header {
	return Header{ID: newID(), Session: session, Username: "cgbg", Date: time.Now().UTC().Format(time.RFC3339Nano),
		Type: kind, Version: "5.3"}
}
