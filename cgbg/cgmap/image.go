package cgmap

// Between is the way from place i to the nearest image of place j of r, [places, 3], nm.
func (b *Images) Between(r []float32, i, j int) [3]float64 {
	d := at(r, j).sub(at(r, i))
	if b.lattice != nil {
		d = b.lattice.nearest(d)
	}
	return d
}
