#!/bin/sh
# Times the import of a peptide in water, torn by the boundary, from GRO, PDB and TRR files that it makes, in alternation with MDAnalysis reading the
# same files and making the peptide whole.
#   large.sh [ROUNDS] [ATOMS...]      needs go; MDAnalysis is that of $CGBG_PYTHON or python3
# The whole import counts, of MDAnalysis what follows its own start. Of three frames; bonds alone: go test -bench Bonds ./cgbg/cgmap.
# Ends with 1 where a target is missed: 30 s and 500 MB for least noisy forces.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-3}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 20000 100000
python=${CGBG_PYTHON:-python3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$here" && go build -o "$dir/cgbg" .. && go build -o "$dir/measure" ./measure && go build -o "$dir/system" ./system)

reason=
if ! reason=$("$python" -W ignore -c 'import MDAnalysis' 2>&1); then
	echo "MDAnalysis is left out: $python: $(echo "$reason" | tail -n 1)"
	python=
fi
bad=0
for atoms in "$@"; do
	"$dir/system" -atoms "$atoms" "$dir"
	import() { # name, structure, flags
		name=$1 structure=$2
		shift 2
		echo "$name $("$dir/measure" "$dir/cgbg" import "$@" -structure "$dir/system.$structure" -o "$dir/run.arrow" "$dir/system.trr" 2>"$dir/said")"
	}
	for r in $(seq "$rounds"); do
		import core-beta,GRO gro -map core-beta
		import core-beta,PDB pdb -map core-beta
		import least-noise,GRO gro -map heavy-atom -forces least-noise
		[ -z "$python" ] || echo "MDAnalysis,GRO $("$python" "$here/read.py" "$dir/system.gro" "$dir/system.trr" whole 2>"$dir/warnings")"
	done >"$dir/times"
	awk -v atoms="$(sed -n 2p "$dir/system.gro")" '
		{ if (!n[$1]++) order[++kinds] = $1; v[$1, n[$1]] = $2; if ($3 > peak[$1]) peak[$1] = $3 }
		function median(p,   i, j, t) {
			for (i = 1; i <= n[p]; i++) for (j = i + 1; j <= n[p]; j++)
				if (v[p, j] < v[p, i]) { t = v[p, i]; v[p, i] = v[p, j]; v[p, j] = t }
			return v[p, int((n[p] + 1) / 2)]
		}
		END {
			printf "%d atoms, 3 frames, median of %d rounds\n", atoms, n[order[1]]
			other = n["MDAnalysis,GRO"] ? median("MDAnalysis,GRO") : 0
			for (k = 1; k <= kinds; k++) {
				p = order[k]
				printf "  %-16s %8.3f s", p, median(p)
				if (p !~ /MDAnalysis/) {
					printf "  peak memory %4.0f MB", peak[p]
					if (other) printf "  %5.1f times as fast as MDAnalysis", other / median(p)
					if (p ~ /least/ && (median(p) > 30 || peak[p] > 500)) bad = 1
				}
				print ""
			}
			exit bad
		}' "$dir/times" || bad=1
done
exit $bad
