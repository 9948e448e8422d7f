package figure

// ramachandran is a free energy over φ and ψ.
type ramachandran = Map

// ramachandranMaps draws maps over φ and ψ: FreeEnergyMaps of two circles. unit: that of F, "kJ/mol" say. Errors: those
// of FreeEnergyMaps.
func ramachandranMaps(maps []ramachandran, top float64, unit string) (Picture, error) {
	return FreeEnergyMaps(maps, MapOptions{
		XLabel: "φ, degrees", YLabel: "ψ, degrees", XCircle: true, YCircle: true, Top: top, Unit: unit})
}

// freeEnergyPair draws two profiles side by side, φ and ψ say: FreeEnergies of two panels with the letters given.
// Errors: those of FreeEnergyProfile.
func freeEnergyPair(left, right []Series, lo, ro ProfileOptions) (Picture, error) {
	return freeEnergies([]ProfilePanel{{left, lo}, {right, ro}})
}
