package e3

// Path is a tensor product of degree-A features with harmonics of degree B
// that gives degree L. B = 0 copies the feature.
type Path struct{ A, B, L int }

// Paths lists the products of features of degrees a ∈ in, of natural parity,
// with harmonics of degrees up to lmax, that give degree l of natural parity:
// first the plain copy, then by (a, b).
func Paths(in []int, lmax, l int) []Path {
	var copies, products []Path
	for _, a := range in {
		if a == l {
			copies = append(copies, Path{a, 0, l})
		}
		for b := 1; b <= lmax; b++ {
			if l >= max(a-b, b-a) && l <= a+b && (a+b+l)%2 == 0 {
				products = append(products, Path{a, b, l})
			}
		}
	}
	return append(copies, products...)
}
