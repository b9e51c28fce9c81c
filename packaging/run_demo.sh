#!/bin/sh
# Opens the demo market; without a screen it runs offscreen until a candle has moved and leaves a screenshot.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${VENV:-$root/.venv}/bin/python
cd "$root"

if "$python" -c 'import sys; from desktop.platform_check import has_screen; sys.exit(not has_screen())'; then
    exec "$python" -m desktop --demo "$@"
fi
mkdir -p build
QT_QPA_PLATFORM=offscreen exec "$python" -m desktop --demo --until-live --screenshot build/candelabra-demo.png "$@"
