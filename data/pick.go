package data

// Positions are those of some frames, [len(frames), beads, dim].
func (f *Frames) Positions(frames []int) []float32 { return Rows(f.R, f.Width(), frames) }

// Pick is a copy of some frames, with all their parts.
func (f *Frames) Pick(frames []int) *Frames {
	out := &Frames{Beads: f.Beads, Dim: f.Dim}
	for _, i := range frames {
		out.Append(f.Slice(i, i+1))
	}
	return out
}

// Rows are some rows of values, [n, width].
func Rows(values []float32, width int, rows []int) []float32 {
	out := make([]float32, 0, len(rows)*width)
	for _, i := range rows {
		out = append(out, values[i*width:(i+1)*width]...)
	}
	return out
}

// Evenly are n of total places at even distances, or all where there are no more.
func Evenly(total, n int) []int {
	out := make([]int, min(n, total))
	for k := range out {
		out[k] = k * total / len(out)
	}
	return out
}

// EveryNth are the places of every nth of total.
func EveryNth(total, n int) []int {
	var out []int
	for i := 0; i < total; i += n {
		out = append(out, i)
	}
	return out
}

// Rounded is r as files have it, float32.
func Rounded(r []float64) []float32 {
	out := make([]float32, len(r))
	for i, v := range r {
		out[i] = float32(v)
	}
	return out
}

// Widened is r of a file in float64.
func Widened(r []float32) []float64 {
	out := make([]float64, len(r))
	for i, v := range r {
		out[i] = float64(v)
	}
	return out
}
