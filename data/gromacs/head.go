package gromacs

import (
	"bufio"
	"fmt"
	"io"
)

// Head is what the head of a frame tells of it.
type Head struct {
	Step      int64
	Time      float64 // ps; single precision in most files
	Positions bool
	Forces    bool
}

// NextHead reads the head of the next frame and passes over its numbers, which
// are not looked at: a frame that the file ends in shows when it is read. It
// returns io.EOF after the last frame; errors as [TRR.Next].
func (t *TRR) NextHead(head *Head) error {
	err := t.nextHead(head)
	switch {
	case err == nil:
		t.frame++
		return nil
	case err == io.EOF:
		return io.EOF
	}
	return frameError(t.name, t.frame, t.offset, err)
}

func (t *TRR) nextHead(head *Head) error {
	if err := t.magic(); err != nil {
		return err
	}
	var f Frame
	h, _, err := t.header(&f)
	if err != nil {
		return err
	}
	*head = Head{Step: f.Step, Time: f.Time, Positions: h.X > 0, Forces: h.F > 0}
	n := int64(h.Box) + int64(h.Vir) + int64(h.Pres) + int64(h.X) + int64(h.V) + int64(h.F)
	t.offset += n
	return pass(t.r, t.in, n)
}

// NextHead is [TRR.NextHead] for an XTC file, whose frames all have positions.
func (x *XTC) NextHead(head *Head) error {
	err := x.nextHead(head)
	switch {
	case err == nil:
		x.frame++
		return nil
	case err == io.EOF:
		return io.EOF
	}
	return frameError(x.name, x.frame, x.offset, err)
}

func (x *XTC) nextHead(head *Head) error {
	var f Frame
	big, err := x.header(&f)
	if err != nil {
		return err
	}
	*head = Head{Step: f.Step, Time: f.Time, Positions: true}
	n := 12 * int64(x.atoms)
	if x.atoms > xtcPlain {
		if _, n, err = x.blockSize(big); err != nil {
			return err
		}
		n = (n + 3) &^ 3 // padding
	}
	x.offset += n
	return pass(x.in, x.file, n)
}

// pass moves a reader of a source on by n bytes, which are not read where the
// source can seek; it may stand behind the end then.
func pass(r *bufio.Reader, source io.Reader, n int64) error {
	s, ok := source.(io.Seeker)
	if !ok || n <= int64(r.Buffered()) {
		_, err := io.CopyN(io.Discard, r, n)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := s.Seek(n-int64(r.Buffered()), io.SeekCurrent); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	r.Reset(source)
	return nil
}
