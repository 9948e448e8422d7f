package cgbg

import "time"

// stopwatch takes the time of training steps from reports of progress. The first of them, after the network was
// compiled, starts it.
type stopwatch struct {
	first, last int
	start, end  time.Time
}

// watch is a progress that is timed, and told to another one, which may be nil.
func (w *stopwatch) watch(progress Progress) Progress {
	return func(done, total int, note string) {
		w.tick(done)
		if progress != nil {
			progress(done, total, note)
		}
	}
}

func (w *stopwatch) tick(done int) {
	if w.start.IsZero() {
		w.first, w.start = done, time.Now()
	}
	if done > w.last { // the last report repeats the one before
		w.last, w.end = done, time.Now()
	}
}

// perStep is the time of a step, s; 0: none was timed.
func (w *stopwatch) perStep() float64 {
	if w.last == w.first {
		return 0
	}
	return w.end.Sub(w.start).Seconds() / float64(w.last-w.first)
}
