package observable

// TorusFreeEnergy is a free energy over two dihedrals.
type TorusFreeEnergy struct {
	// Grid is the middle of the cells along each angle, [n], rad.
	Grid []float64
	// F is −kT ln P with its minimum at zero, [n*n], +Inf where P is zero; (φ_i, ψ_j) is F[i*n+j].
	F []float64
	// P is the density per rad², [n*n].
	P []float64

	m Map
}

// NewTorusFreeEnergy is NewMap of dihedrals on n × n cells with one bandwidth.
func NewTorusFreeEnergy(t Torus, n int, bandwidth, kT float64) (TorusFreeEnergy, error) {
	p := t.Points()
	p.Axes = []Axis{Circle(n), Circle(n)}
	m, err := NewMap(p, [2]float64{bandwidth, bandwidth}, kT)
	return TorusFreeEnergy{Grid: m.X, F: m.F, P: m.P, m: m}, err
}

// At is that of Map.
func (t *TorusFreeEnergy) At(phi, psi float64) float64 { return t.m.At(phi, psi) }
