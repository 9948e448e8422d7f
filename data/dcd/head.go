package dcd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// akma is the unit of time of CHARMM, in ps.
const akma = 0.0488882129

// bufferSize bounds what can be looked at before it is read, titles above all.
const bufferSize = 64 << 10

// A DCD file begins with a record of headBytes.
const headBytes = 84

// findOrder finds the order of bytes and the width of records' marks from the first of them.
func (r *Reader) findOrder() error {
	p, err := r.in.Peek(12)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	little, big := binary.LittleEndian, binary.BigEndian
	switch {
	case little.Uint64(p) == headBytes:
		r.order, r.mark = little, 8
	case big.Uint64(p) == headBytes:
		r.order, r.mark = big, 8
	case little.Uint32(p) == headBytes:
		r.order, r.mark = little, 4
	case big.Uint32(p) == headBytes:
		r.order, r.mark = big, 4
	default:
		return fmt.Errorf("%w: it begins with %q; a DCD file begins with a record of %d bytes", ErrFormat, p[:4],
			headBytes)
	}
	return nil
}

func (r *Reader) header() error {
	if err := r.findOrder(); err != nil {
		return err
	}
	head, err := r.record(headBytes)
	if err != nil {
		return err
	}
	if string(head[:4]) != "CORD" {
		return fmt.Errorf("%w: it holds %q; positions (CORD) are needed", ErrFormat, head[:4])
	}
	control := func(i int) int32 { return int32(r.order.Uint32(head[4+4*i:])) }
	r.frames = int(control(0))
	r.first, r.interval = int64(control(1)), int64(control(2))
	fixed := int(control(8))
	var delta float64
	r.version = control(19)
	// CHARMM's version; without it a file has neither cell nor fourth dimension, and X-PLOR's time step
	if r.version != 0 {
		r.cell, r.four = control(10) != 0, control(11) != 0
		delta = float64(math.Float32frombits(uint32(control(9))))
	} else {
		delta = math.Float64frombits(r.order.Uint64(head[4+4*9:]))
	}
	title, err := r.title()
	if err != nil {
		return err
	}
	r.timeStep(delta, title)
	size, err := r.record(4)
	if err != nil {
		return err
	}
	if r.atoms = int(int32(r.order.Uint32(size))); r.atoms < 1 || r.atoms > maxAtoms {
		return fmt.Errorf("%w: %d atoms", ErrFormat, r.atoms)
	}
	return r.freeAtoms(fixed)
}

// title reads the title: a number of lines of 80 bytes. Its number or its length
// is wrong in files of some programs; it ends where the number of atoms follows, a
// record of 4 bytes.
func (r *Reader) title() ([]byte, error) {
	p, _ := r.in.Peek(bufferSize) // as much as there is
	if len(p) < r.mark+4 {
		return nil, io.ErrUnexpectedEOF
	}
	start := r.mark
	ends := func(n int64) bool { // the record, before its second mark
		if n < 0 || n > int64(len(p)) {
			return false
		}
		at := start + int(n) + r.mark
		return at+2*r.mark+4 <= len(p) && r.marked(p[at:]) == 4 && r.marked(p[at+r.mark+4:]) == 4 &&
			int32(r.order.Uint32(p[at+r.mark:])) >= 0
	}
	length := r.marked(p)
	for _, n := range []int64{length, 4 + 80*int64(int32(r.order.Uint32(p[start:])))} {
		if ends(n) {
			return r.pass(p, start, int(n))
		}
	}
	for n := range len(p) {
		if ends(int64(n)) {
			return r.pass(p, start, n)
		}
	}
	if len(p) < bufferSize {
		return nil, io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("%w: a title of %d bytes, and no number of atoms behind it", ErrFormat, length)
}

// pass returns the n bytes of p from start, and goes on behind the mark that follows them.
func (r *Reader) pass(p []byte, start, n int) ([]byte, error) {
	text := bytes.Clone(p[start : start+n])
	k, err := r.in.Discard(start + n + r.mark)
	r.offset += int64(k)
	return text, err
}

// freeAtoms reads which atoms move, where so many are fixed.
func (r *Reader) freeAtoms(fixed int) error {
	if fixed == 0 {
		return nil
	}
	if fixed < 0 || fixed >= r.atoms {
		return fmt.Errorf("%w: %d of %d atoms are fixed", ErrFormat, fixed, r.atoms)
	}
	p, err := r.record(4 * (r.atoms - fixed))
	if err != nil {
		return err
	}
	r.free = make([]int, r.atoms-fixed)
	for j := range r.free {
		i := int(int32(r.order.Uint32(p[4*j:])))
		if i < 1 || i > r.atoms {
			return fmt.Errorf("%w: atom %d of %d moves", ErrFormat, i, r.atoms)
		}
		r.free[j] = i - 1
	}
	return nil
}

// timeStep finds the time step from the number in the head, which is in units of
// CHARMM, and from the title, which tells of programs that write something else:
// LAMMPS its own units, fs with "units real" and ps with "units metal" (src/dump_dcd.cpp
// writes update->dt); VMD and mdtraj 1 for any file (plugins' dcdplugin.c), cpptraj 0.001
// (src/Traj_CharmmDcd.cpp), HOOMD 0.
func (r *Reader) timeStep(delta float64, title []byte) {
	const cure = ": -dt gives the time between frames"
	lower := bytes.ToLower(title)
	switch {
	case !(delta > 0 && delta < 1e6) || r.interval < 1:
		r.doubt = "its head keeps no time step" + cure
	case bytes.Contains(lower, []byte("lammps")) && delta >= 0.01:
		r.step = delta / 1000
		r.doubt = fmt.Sprintf("LAMMPS wrote it, and its time step of %.4g is taken to be in fs (units real), frames "+
			"are %.6g ps apart; -dt says otherwise", delta, r.step*float64(r.interval))
	case bytes.Contains(lower, []byte("lammps")):
		r.doubt = fmt.Sprintf("LAMMPS wrote it, and its time step of %.4g is in units of the simulation's", delta) +
			cure
	case delta == 1:
		r.doubt = "its head has a time step of 1, as VMD and mdtraj write it for any simulation" + cure
	case bytes.Contains(lower, []byte("cpptraj")) && float32(delta) == 0.001:
		r.doubt = "its head has a time step of 0.001, as cpptraj writes it for any simulation" + cure
	default:
		r.step = akma * delta
	}
}

// Interval is the time between frames, ps, 0 where it is not known, and what is
// doubtful about it.
func (r *Reader) Interval() (ps float64, doubt string) {
	return r.step * float64(r.interval), r.doubt
}
