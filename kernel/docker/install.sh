#!/usr/bin/env bash
# Installs JupyterLab with this repository's kernel below one folder, and proves it by running a cell.
#
# The Dockerfile calls it; so can anyone, and CI does, outside Docker and without root:
#
#     PREFIX=$HOME/cgbg XLA=none kernel/docker/install.sh
#
# PREFIX  folder of the Python environment with JupyterLab and the kernel      (default: ~/.local/share/cgbg/jupyter)
# XLA     plugin to install: cpu, cuda, cuda12, cuda13 or none                 (default: none)
# PYTHON  interpreter, 3.9 or newer with the venv module                       (default: python3)
# SMOKE   0 leaves out the cell at the end                                     (default: 1)
#
# Needs Go as go.mod asks for, and Python. XLA needs a C compiler as well.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
prefix=${PREFIX:-${XDG_DATA_HOME:-$HOME/.local/share}/cgbg/jupyter}
xla=${XLA:-none}
python=${PYTHON:-python3}

say() { printf 'install: %s\n' "$*"; }
die() {
	printf 'install: %s\n' "$*" >&2
	exit 1
}

case $xla in
cpu | cuda | cuda12 | cuda13 | none) ;;
*) die "XLA=$xla: use cpu, cuda, cuda12, cuda13 or none" ;;
esac
command -v go >/dev/null || die "Go is missing: install the version that go.mod names, or a newer one"
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
	die "$python with the modules venv and ensurepip, 3.9 or newer, is missing (Debian: apt-get install python3-venv)"
if [ "$xla" != none ] && ! command -v "$(go env CC)" >/dev/null; then
	die "XLA needs a C compiler, and $(go env CC) is missing (Debian: apt-get install gcc libc6-dev)"
fi

say "JupyterLab into $prefix"
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
"$python" -m venv "$prefix"
"$prefix/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"

cd "$repository"
say "Go modules, and the kernel"
go mod download
# Jupyter looks for kernels below its own Python environment; the user's other kernels are not touched.
JUPYTER_DATA_DIR="$prefix/share/jupyter" go run ./kernel install
if [ "$xla" != none ]; then
	say "XLA plugin: $xla"
	go run ./kernel install -xla "$xla"
fi

kernel=$("$prefix/bin/jupyter" kernelspec list --json | "$prefix/bin/python" -c '
import json, os, sys
prefix = os.path.realpath(sys.argv[1])
for name, found in sorted(json.load(sys.stdin)["kernelspecs"].items()):
    if os.path.realpath(found["resource_dir"]).startswith(prefix) and found["spec"]["language"].lower() == "go":
        print(name)
' "$prefix")
[ -n "$kernel" ] || die "Jupyter does not list the kernel that was installed below $prefix/share/jupyter"
[ "$(wc -l <<<"$kernel")" = 1 ] || die "more than one Go kernel below $prefix/share/jupyter:" $kernel
say "Jupyter lists the kernel $kernel"

if [ "${SMOKE:-1}" != 0 ]; then
	say "running a cell"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	"$prefix/bin/python" "$here/smoke.py" "$kernel" "$work"
fi
say "done; start it with: $prefix/bin/jupyter lab"
