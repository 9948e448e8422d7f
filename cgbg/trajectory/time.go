package trajectory

import (
	"fmt"
	"math"
	"strconv"
)

// clock learns the time between the frames of a trajectory from their times,
// which most formats keep in single precision: at 100 ns they are 0.008 ps apart,
// and what lies between them is rounded. Frame n has the time start + n·dt; every
// frame bounds dt, and one that leaves none shows that frames are missing, or stand twice.
type clock struct {
	n           int // frames seen
	start, last float64
	low, high   float64 // bounds of dt, ps
	double      bool    // some time is no single-precision number
	moved       bool    // not all times are the first one's
	step, by    int32   // of the last frame, and between frames; both overflow in long runs
	uneven      int     // the first frame whose step is not by more than that of the frame before it; 0: none
	wrong       error   // the first frame that does not fit
}

// drift is how far a time may be off, in parts of the time between frames.
const drift = 0.1

// add takes the next frame; number is its place in the file, for messages.
func (c *clock) add(number int, step int64, t float64) {
	defer func() { c.n, c.last, c.step = c.n+1, t, int32(step) }()
	c.double = c.double || float64(float32(t)) != t
	if c.n == 0 {
		c.start, c.low, c.high = t, math.Inf(-1), math.Inf(1)
		return
	}
	switch by := int32(step) - c.step; {
	case c.n == 1:
		c.by = by
	case by != c.by && c.uneven == 0:
		c.uneven = number
	}
	c.moved = c.moved || t != c.start
	n := float64(c.n)
	dt := (t - c.start) / n
	slack := drift*math.Abs(dt) + (c.resolution(t)+c.resolution(c.start))/2 // by rounding
	low, high := math.Max(c.low, dt-slack/n), math.Min(c.high, dt+slack/n)
	if (low > high || high < 0) && c.wrong == nil {
		want := c.start + n*(c.low+c.high)/2
		if c.n == 1 {
			want = math.Inf(1)
		}
		c.wrong = misplaced(number, t, want)
	}
	if c.wrong == nil {
		c.low, c.high = low, high
	}
}

func misplaced(number int, t, want float64) error {
	if math.IsInf(want, 0) {
		return fmt.Errorf("frame %d: its time, %s ps, is before that of the frame before it: are these parts of "+
			"several runs? gmx trjcat puts the parts of a run together", number, decimal(t))
	}
	return fmt.Errorf("frame %d: its time is %s ps where %s ps is expected: frames are missing or stand twice; gmx "+
		"trjcat puts the parts of a run together", number, decimal(t), decimal(want))
}

// decimal is a time with as many digits as single precision has.
func decimal(t float64) string { return strconv.FormatFloat(t, 'g', 9, 64) }

// resolution is the distance of neighbouring times about t, ps.
func (c *clock) resolution(t float64) float64 {
	if c.double {
		return math.Abs(t) * 1e-12
	}
	x := float32(math.Abs(t))
	return float64(math.Nextafter32(x, float32(math.Inf(1))) - x)
}

// known tells whether the frames have times at all: in some files all are zero.
func (c *clock) known() bool { return c.n > 1 && c.moved }

// dt is the time between frames, the shortest decimal that the first and the
// last time allow, and how far off it may be, ps.
func (c *clock) dt() (dt, err float64) {
	if !c.known() {
		return 0, 0
	}
	n := float64(c.n - 1)
	dt, err = (c.last-c.start)/n, (c.resolution(c.start)+c.resolution(c.last))/n
	for digits := 1; digits < 12; digits++ {
		v, perr := strconv.ParseFloat(strconv.FormatFloat(dt, 'g', digits, 64), 64)
		if perr == nil && math.Abs(v-dt) <= err/2 { // half of the resolution, by rounding
			return v, err
		}
	}
	return dt, err
}

// coarse tells whether times are so far apart that a frame may be missing without a sign of it.
func (c *clock) coarse() bool {
	dt, _ := c.dt()
	return math.Max(c.resolution(c.start), c.resolution(c.last)) > dt/4
}

// longStep is longer than the time step of any simulation, ps.
const longStep = 0.05

// countsFrames tells whether steps number the frames of the file, as programs write that do not know those of the
// simulation: they go up by one however many frames are missing.
func (c *clock) countsFrames() bool {
	dt, _ := c.dt()
	return c.by == 1 && dt >= longStep
}

// check tells whether the frames seen follow each other evenly: by their times,
// and by their steps where times are too coarse. The note says what could not be
// seen.
func (c *clock) check() (note string, err error) {
	switch {
	case c.n < 2 || !c.known():
		return "", nil
	case c.wrong != nil:
		return "", c.wrong
	case !c.coarse():
		return "", nil
	}
	apart := decimal(math.Max(c.resolution(c.start), c.resolution(c.last)))
	switch {
	case c.by != 0 && c.uneven == 0 && !c.countsFrames():
		return "", nil
	case c.by > 0 && c.uneven > 0:
		return "", fmt.Errorf("frame %d: its step is not %d after that of the frame before it, as between the first "+
			"two: frames are missing or stand twice (times about %s ps are kept to %s ps, and do not tell)", c.uneven,
			c.by, decimal(c.last), apart)
	}
	return fmt.Sprintf("times about %s ps are kept to %s ps: whether single frames are missing does not show",
		decimal(c.last), apart), nil
}

// set compares the time between frames that the user gives with the file's, and
// returns the one to take. between: of the frames seen, in frames of the file.
func (c *clock) set(given float64, between int) (dt float64, err error) {
	dt, off := c.dt()
	switch {
	case !c.known():
		return given * float64(between), nil
	case given == 0:
		return dt, nil
	}
	want := given * float64(between)
	if math.Abs(want-dt) > off+1e-4*dt {
		return 0, fmt.Errorf("its frames are %.6g ps apart by their own times, -dt says %g ps: leave -dt out, or "+
			"look which of them is wrong", dt/float64(between), given)
	}
	return want, nil
}
