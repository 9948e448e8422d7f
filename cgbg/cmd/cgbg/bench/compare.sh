#!/bin/sh
# Times an import against MDAnalysis reading the same TRR file with forces, in alternation, and prints the import's peak memory.
#   compare.sh STRUCTURE TRAJECTORY.trr [ROUNDS]      needs go; MDAnalysis is that of $CGBG_PYTHON or python3
# The whole import counts: start, checksum, mapping to Core Beta, compression, fsync. Of MDAnalysis the loop over frames does.
# Ends with 1 where a target is missed: 5 times MDAnalysis, 100 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n 's/^#   /usage: /p' "$0" >&2; exit 2; }
structure=$(realpath "$1") trajectory=$(realpath "$2") rounds=${3:-7}
python=${CGBG_PYTHON:-python3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$here" && go build -o "$dir/cgbg" .. && go build -o "$dir/measure" ./measure)
cp "$trajectory" "$dir/run.trr" # MDAnalysis leaves an index beside it
cat "$dir/run.trr" >/dev/null   # into the page cache

reason=
if ! reason=$("$python" -W ignore -c 'import MDAnalysis' 2>&1); then
	echo "MDAnalysis is left out: $python: $(echo "$reason" | tail -n 1)"
	python=
fi
for r in $(seq "$rounds"); do
	echo "import $("$dir/measure" "$dir/cgbg" import -structure "$structure" -o "$dir/run.arrow" "$dir/run.trr" 2>"$dir/said")"
	[ -z "$python" ] || echo "mdanalysis $("$python" "$here/read.py" "$structure" "$dir/run.trr" 2>"$dir/warnings")"
done >"$dir/times"
frames=$(sed -n 's/.*: \([0-9]*\) frames of .*/\1/p' "$dir/said")
awk -v frames="$frames" -v bytes="$(wc -c <"$dir/run.trr")" '
	{ n[$1]++; v[$1, n[$1]] = $2; if ($1 == "import" && $3 > peak) peak = $3; if ($1 == "mdanalysis" && $3 != frames) odd = $3 }
	function median(p,   i, j, t) {
		for (i = 1; i <= n[p]; i++) for (j = i + 1; j <= n[p]; j++)
			if (v[p, j] < v[p, i]) { t = v[p, i]; v[p, i] = v[p, j]; v[p, j] = t }
		return v[p, int((n[p] + 1) / 2)]
	}
	END {
		a = median("import")
		printf "%d frames, %.1f MB, median of %d rounds\n", frames, bytes / 1e6, n["import"]
		printf "  cgbg import   %8.3f s  %7.0f frames/s  %6.0f MB/s, peak memory %.0f MB (target 100)\n", a, frames / a, bytes / a / 1e6, peak
		bad = peak > 100
		if (n["mdanalysis"]) {
			b = median("mdanalysis")
			printf "  MDAnalysis    %8.3f s  %7.0f frames/s; the import is %.1f times as fast (target 5)\n", b, frames / b, b / a
			bad = bad || b / a < 5
		}
		if (odd) { printf "MDAnalysis read %d frames\n", odd; bad = 1 }
		exit bad
	}' "$dir/times"
