#!/bin/sh
# Compares the Go dynamics with the same loop in C, one core each, in alternation, and checks that they do the same.
#   compare.sh [TRAJECTORIES [STEPS [ROUNDS]]]        needs go and cc; ends with 1 if the states differ
set -eu
here=$(cd "$(dirname "$0")" && pwd)
trajectories=${1:-8} steps=${2:-1000000} rounds=${3:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc=${CC:-cc}
(cd "$here" && go build -o "$dir/go" ./gobench)
$cc -O3 -o "$dir/c" "$here/langevin.c" -lm
$cc -O3 -march=native -o "$dir/c-native" "$here/langevin.c" -lm
$cc -O3 -ffp-contract=off -DOWN_EXP -o "$dir/c-own" "$here/langevin.c" -lm
pin=
command -v taskset >/dev/null && pin="taskset -c 1"

for biased in 0 1; do
	# The same states to the last bit over 20000 steps: the C code with the exponential of the Go code.
	"$dir/go" 64 20000 $biased 7 | grep -v ns/step >"$dir/a"
	"$dir/c-own" 64 20000 $biased 7 | grep -v ns/step >"$dir/b"
	cmp -s "$dir/a" "$dir/b" || { echo "biased=$biased: states differ from C with the same exponential"; exit 1; }
	# With libm's exponential (half a unit in the last place away) positions agree until chaos has amplified that: 200 steps.
	"$dir/go" 64 200 $biased 7 | grep -v ns/step | cut -d' ' -f5- >"$dir/a"
	"$dir/c" 64 200 $biased 7 | grep -v ns/step | cut -d' ' -f5- >"$dir/b"
	cmp -s "$dir/a" "$dir/b" || { echo "biased=$biased: positions differ from C with libm"; exit 1; }
	echo "biased=$biased: same states (64 trajectories: 20000 steps bit for bit with the same exp, 200 steps to 0.001 with libm's)"

	for r in $(seq "$rounds"); do
		for p in go c c-native c-own; do
			$pin "$dir/$p" "$trajectories" "$steps" $biased 7 | awk -v p=$p '/ns.step/ {print p, $2}'
		done
	done | awk -v b=$biased '
		{ n[$1]++; v[$1, n[$1]] = $2 }
		function median(p,   i, j, t) {
			for (i = 1; i <= n[p]; i++) for (j = i + 1; j <= n[p]; j++)
				if (v[p, j] < v[p, i]) { t = v[p, i]; v[p, i] = v[p, j]; v[p, j] = t }
			return v[p, int((n[p] + 1) / 2)]
		}
		END {
			g = median("go")
			printf "biased=%d: median ns/step of %d rounds: Go %.2f\n", b, n["go"], g
			split("c c-native c-own", q, " ")
			split("C -O3, libm exp|C -O3 -march=native, libm exp|C -O3, exp of the Go code", what, "|")
			for (i = 1; i <= 3; i++) { m = median(q[i]); printf "  %-32s %6.2f   Go/C %.3f\n", what[i], m, g / m }
		}'
done
