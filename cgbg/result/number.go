package result

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// String writes the number as a paper would: the error to two significant digits, the value to the same decimal, as
// "0.0123 ± 0.0012"; four significant digits where there is no error. Very large and very small numbers take a power
// of ten.
func (m Measured) String() string {
	if !(m.Error > 0) || math.IsInf(m.Error, 0) || !isFinite(m.Value) {
		return Plain(m.Value)
	}
	largest := exponent(math.Max(math.Abs(m.Value), m.Error), 2)
	power := 0
	if largest < -4 || largest > 5 {
		power = largest
	}
	scale := math.Pow10(power)
	value, err := m.Value/scale, m.Error/scale
	digits := 1 - exponent(err, 2) // decimals that show two digits of the error
	if digits < 0 {
		unit := math.Pow10(-digits)
		value, err, digits = math.Round(value/unit)*unit, math.Round(err/unit)*unit, 0
	}
	s := strconv.FormatFloat(value, 'f', digits, 64) + " ± " + strconv.FormatFloat(err, 'f', digits, 64)
	if power != 0 {
		return fmt.Sprintf("(%s)e%d", s, power)
	}
	return s
}

// Plain writes a number without an error to four significant digits; whole numbers in full.
func Plain(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x == math.Trunc(x) && math.Abs(x) < 1e15:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case math.IsInf(x, 0):
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), "Inf", "∞", 1)
	}
	e := exponent(x, 4)
	if e < -4 || e > 5 {
		mantissa, power, _ := strings.Cut(strconv.FormatFloat(x, 'e', 3, 64), "e")
		n, _ := strconv.Atoi(power)
		return mantissa + "e" + strconv.Itoa(n)
	}
	return strconv.FormatFloat(x, 'f', max(0, 3-e), 64)
}

// exponent is the power of ten of x's first digit after rounding to that many digits: 1 for 9.96 at two digits.
func exponent(x float64, digits int) int {
	_, power, _ := strings.Cut(strconv.FormatFloat(x, 'e', digits-1, 64), "e")
	n, _ := strconv.Atoi(power)
	return n
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
