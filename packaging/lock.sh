#!/bin/sh
# Renews the two hashed requirement files. They name no package index, so they hold wherever the packages come from;
# uv.lock names one in every entry and stays out of the repository.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${VENV:-$root/.venv}/bin/python
cd "$root"
"$python" -m uv --version >/dev/null 2>&1 || "$python" -m pip install --quiet --disable-pip-version-check uv

export_lock() {
    output=$1
    shift
    "$python" -m uv export --quiet --frozen --no-emit-project --no-header --no-annotate --format requirements-txt \
        --output-file "$output" "$@"
    if grep -n '://' "$output"; then
        printf 'candelabra: %s names a host; it must not.\n' "$output" >&2
        exit 1
    fi
}

"$python" -m uv lock --quiet "$@"
export_lock packaging/requirements.lock --no-dev
export_lock packaging/requirements-dev.lock
