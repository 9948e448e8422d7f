#!/usr/bin/env bash
# Compares the graph-transformer flow with a reference in JAX of the published method, in alternation, with the same weights.
#
#     compare.sh FOLDER [ROUNDS [SAMPLES]]
#
# FOLDER has reference_flow.py and trained flows flow_ha.npz, flow_cb.npz. Needs go, and Python with jax and diffrax for the
# reference (CGBG_PYTHON, default python3), which is left out with a reason where they are missing. Prints the medians, their
# ratios, and the errors of log q: ours from reverse integration in float64, the reference's from the arrays published/*.
set -euo pipefail
folder=$(cd "${1:?usage: compare.sh FOLDER [ROUNDS [SAMPLES]]}" && pwd) rounds=${2:-3} samples=${3:-512}
python=${CGBG_PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$here" && GOEXPERIMENT=simd go build -o "$dir/gobench" ./gobench)
jax=1
"$python" -c 'import jax, diffrax, optax' 2>"$dir/why" || { jax= && echo "the reference is left out: $(tail -n 1 "$dir/why")"; }

# number KEY reads a number of a line of JSON.
number() { sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for map in ha cb; do
	weights=$folder/flow_$map.npz
	beads=10
	[ "$map" = cb ] && beads=6
	"$dir/gobench" -weights "$weights" -schedule "$dir/$map.json" -n 200 -checks 200 >"$dir/checked"
	for _ in $(seq "$rounds"); do
		"$dir/gobench" -weights "$weights" -schedule "$dir/$map.json" -n "$samples" | number samples_per_second >>"$dir/$map-ours"
		"$dir/gobench" -what train -beads "$beads" -batch 1024 -n 4 | number seconds_per_step >>"$dir/$map-ours-step"
		[ -n "$jax" ] || continue
		"$python" "$folder/reference_flow.py" sample --weights "$weights" --batch 24 --n 24 | number samples_per_second >>"$dir/$map-jax"
		"$python" "$folder/reference_flow.py" bench --beads "$beads" --batch 1024 --steps 3 | number seconds_per_step >>"$dir/$map-jax-step"
	done
	ours=$(median <"$dir/$map-ours") step=$(median <"$dir/$map-ours-step")
	echo "$map: ours: $ours samples with log q per second; $step s per training step of 1024 frames"
	if [ -n "$jax" ]; then
		theirs=$(median <"$dir/$map-jax") their_step=$(median <"$dir/$map-jax-step")
		echo "$map: reference: $theirs samples per second; $their_step s per step"
		awk -v m=$map -v a="$ours" -v b="$theirs" -v c="$step" -v d="$their_step" 'BEGIN { printf "%s: ratios: samples %.1f, training %.2f\n", m, a / b, d / c }'
		"$python" -c 'import sys, numpy as np
f = np.load(sys.argv[2]); e = f["published/logq"] - f["published/true_logq"]
print(f"{sys.argv[1]}: reference: error of log q: rms {np.sqrt((e**2).mean()):.4f}, largest {abs(e).max():.4f} of {len(e)}, nat")' "$map" "$weights"
	fi
	echo "$map: ours: error of log q: rms $(number logq_rms <"$dir/checked"), largest $(number logq_max <"$dir/checked") of 200, certificate $(number logq_bound <"$dir/checked"), nat; apart from the samples, the schedule took $(number schedule_seconds <"$dir/checked") s, the checks $(number check_seconds <"$dir/checked") s"
done
