// Package units holds the constants that join the units in use: nm, ps, u, K,
// kJ/mol, rad. Conversions happen only where data enters or leaves.
package units

// KB is the Boltzmann constant per mole, the molar gas constant R, in
// kJ/mol/K: k_B·N_A, both exact since the SI of 2019.
// Source: CODATA 2018, doi:10.1103/RevModPhys.93.025010.
const KB = 1.380649e-23 * 6.02214076e23 / 1000

// KT is the thermal energy at a temperature in K, in kJ/mol.
func KT(temperature float64) float64 { return KB * temperature }

// KCal is the thermochemical kilocalorie, in kJ; exact by definition.
const KCal = 4.184
