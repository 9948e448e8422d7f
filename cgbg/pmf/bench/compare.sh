#!/usr/bin/env bash
# Compares MACE with a reference in JAX of the published model, in alternation: training steps of 256 frames, 10,000 energies.
#
#     compare.sh FOLDER [ROUNDS [MAPS]]
#
# FOLDER has reference_mace.py and models mace_ha.npz, mace_cb.npz; MAPS is "ha cb" or one of them. Needs go, and Python with
# jax, e3nn-jax and optax for the reference (CGBG_PYTHON, default python3), which is left out with a reason where they are
# missing. Prints the medians and their ratios.
set -euo pipefail
folder=$(cd "${1:?usage: compare.sh FOLDER [ROUNDS [MAPS]]}" && pwd) rounds=${2:-3} maps=${3:-ha cb}
python=${CGBG_PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$here" && GOEXPERIMENT=simd go build -o "$dir/gobench" ./gobench)
jax=1
"$python" -c 'import jax, e3nn_jax, optax' 2>"$dir/why" || { jax= && echo "the reference is left out: $(tail -n 1 "$dir/why")"; }

# number KEY reads a number of a line of JSON.
number() { sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for map in $maps; do
	weights=$folder/mace_$map.npz
	for _ in $(seq "$rounds"); do
		"$dir/gobench" -weights "$weights" | number seconds_per_10000 >>"$dir/$map-energy"
		"$dir/gobench" -weights "$weights" -what force -n 2000 | number seconds_per_10000 >>"$dir/$map-force"
		"$dir/gobench" -weights "$weights" -what fast-force -n 2000 | number seconds_per_10000 >>"$dir/$map-fast"
		"$dir/gobench" -weights "$weights" -what train -n 8 | number seconds_per_step >>"$dir/$map-step"
		[ -n "$jax" ] || continue
		"$python" "$folder/reference_mace.py" bench --config "$map" --batch 256 --steps 3 --repeats 1 >"$dir/line"
		number seconds_per_10000_energies <"$dir/line" >>"$dir/$map-jax-energy"
		number seconds_per_step <"$dir/line" >>"$dir/$map-jax-step"
	done
	energy=$(median <"$dir/$map-energy") step=$(median <"$dir/$map-step")
	echo "$map: ours: $step s per training step of 256 frames; $energy s per 10,000 energies, $(median <"$dir/$map-force") s with forces, $(median <"$dir/$map-fast") s with fast ones"
	if [ -n "$jax" ]; then
		their_energy=$(median <"$dir/$map-jax-energy") their_step=$(median <"$dir/$map-jax-step")
		echo "$map: reference: $their_step s per step; $their_energy s per 10,000 energies"
		awk -v m="$map" -v a="$energy" -v b="$their_energy" -v c="$step" -v d="$their_step" 'BEGIN { printf "%s: ratios: training %.1f, energies %.1f\n", m, d / c, b / a }'
	fi
done
