#!/bin/sh
# Makes a checkout ready to run on a fresh machine; quick when nothing is missing.
#
#   packaging/setup.sh run        the application (libraries, environment, locked packages)
#   packaging/setup.sh test       the same and what tests, lint and types need
#   packaging/setup.sh package    the same and what freezing the application needs
#
# Installs system packages only where it may: apt-get as root or with a password-less sudo. Elsewhere, or with
# CANDELABRA_SYSTEM_PACKAGES=no, it names what is missing. PYTHON=… chooses the interpreter, VENV=… the folder.
set -eu

purpose=${1:-run}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=${VENV:-$root/.venv}

say() { printf 'candelabra: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

case $purpose in
run) lock=$root/packaging/requirements.lock ;;
test | package) lock=$root/packaging/requirements-dev.lock ;;
*) fail "unknown purpose: $purpose. Use run, test or package." ;;
esac

# --- system packages -------------------------------------------------------------------------------------------

# Shared library, Debian package. Without the first list Qt cannot load at all; the second is for a window.
needed_libraries='libGL.so.1 libgl1
libEGL.so.1 libegl1
libglib-2.0.so.0 libglib2.0-0
libfontconfig.so.1 libfontconfig1
libxkbcommon.so.0 libxkbcommon0
libdbus-1.so.3 libdbus-1-3'
window_libraries='libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libwayland-client.so.0 libwayland-client0
libwayland-cursor.so.0 libwayland-cursor0
libwayland-egl.so.1 libwayland-egl1'
# Command, Debian package: tests that need one are skipped where it is missing.
test_tools='Xvfb xvfb
dbus-run-session dbus
gnome-keyring-daemon gnome-keyring'
package_tools='objdump binutils
strip binutils'

known_libraries() {
    { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) .*/\1/p'
}

# Prints the second word of each "library package" line whose library the loader does not know.
missing_libraries() {
    printf '%s\n' "$1" | while read -r library package; do
        case $known in
        *" $library "*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

missing_tools() {
    printf '%s\n' "$1" | while read -r tool package; do
        command -v "$tool" >/dev/null 2>&1 || printf '%s ' "$package"
    done
}

missing_fonts() {
    for folder in /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.fonts" \
        "${HOME:-/nonexistent}/.local/share/fonts"; do
        if [ -d "$folder" ] && [ -n "$(find "$folder" -name '*.[to]tf' -print -quit 2>/dev/null)" ]; then
            return
        fi
    done
    printf 'fonts-dejavu-core '
}

as_root=''
may_install() {
    [ "${CANDELABRA_SYSTEM_PACKAGES:-yes}" != no ] || return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || return 1
    as_root='sudo -n'
}

# Installs Debian packages; false when that did not work. $1: the names, separated by blanks.
install_packages() {
    say "installing system packages: $1"
    # shellcheck disable=SC2086 # words on purpose: `sudo -n`, package names
    set -- $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
        install --no-install-recommends $1
    "$@" >"$log" 2>&1 && return
    # A fresh machine has no package lists yet, or old ones.
    # shellcheck disable=SC2086
    $as_root apt-get -qq update >>"$log" 2>&1 || true
    "$@" >>"$log" 2>&1 && return
    tail -n 5 "$log" >&2
    return 1
}

how_to_install() {
    set -- "${1% }"
    if command -v apt-get >/dev/null 2>&1; then
        printf 'sudo apt-get install %s' "$1"
    else
        printf 'install with your package manager what Debian calls: %s' "$1"
    fi
}

system_packages() {
    [ "$(uname -s)" = Linux ] || return 0
    known=" $(known_libraries | tr '\n' ' ') "
    needed="$(missing_libraries "$needed_libraries")$(missing_fonts)"
    window=$(missing_libraries "$window_libraries")
    optional=''
    case $purpose in
    test) optional=$(missing_tools "$test_tools") ;;
    package) needed="$needed$(missing_tools "$package_tools")" ;;
    esac
    # Debian's Python comes without venv. Asked for here too, so that one sentence names everything.
    python=${PYTHON:-python3}
    if ! is_healthy && is_new_enough "$python" && ! can_make_venv; then
        needed="$needed$(venv_package) "
    fi
    [ -n "$needed$window$optional" ] || return 0

    if may_install; then
        if [ -n "$needed$window" ] && install_packages "$needed$window"; then
            needed='' window=''
        fi
        # Apart from the others: the tests run without them, and a mirror may lack one.
        if [ -n "$optional" ] && [ -z "$needed" ] && ! install_packages "$optional"; then
            say "some tests will be skipped: these packages could not be installed: $optional"
        fi
    fi
    [ -z "$needed" ] || fail "system packages are missing. Please run: $(how_to_install "$needed$window")"
    if [ -n "$window" ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        say "a window may need libraries that are missing. If it does not open: $(how_to_install "$window")"
    fi
}

# --- Python ----------------------------------------------------------------------------------------------------

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# The distribution's newest, where python3 itself is absent or old; python3.X-venv brings its python3.X along.
install_python() {
    if [ "$found" = none ] && install_packages 'python3 python3-venv' && is_new_enough python3; then
        python=python3
        return
    fi
    for version in 3.13 3.12 3.11; do
        if apt-cache show "python$version-venv" >/dev/null 2>&1 && install_packages "python$version-venv" &&
            is_new_enough "python$version"; then
            python=python$version
            return
        fi
    done
    return 1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11 or newer."
        python=$PYTHON
        return
    fi
    for python in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if is_new_enough "$python"; then
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo none)
    if may_install && install_python; then
        return
    fi
    fail "Python 3.11 or newer is needed, found: $found. Please install it, or name it: make run PYTHON=/path/to/python3.11"
}

can_make_venv() {
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# An interpreter that is not the distribution's default has a package of its own.
venv_package() {
    version='import sys; print("%d.%d" % sys.version_info[:2])'
    if [ "$("$python" -c "$version")" = "$(/usr/bin/python3 -c "$version" 2>/dev/null)" ]; then
        printf python3-venv
    else
        printf 'python%s-venv' "$("$python" -c "$version")"
    fi
}

make_venv() {
    if ! can_make_venv; then
        package=$(venv_package)
        if may_install; then
            install_packages "$package" || true
        fi
        can_make_venv || fail "Python's venv module is missing. Please run: $(how_to_install "$package")"
    fi
    say "making a Python environment in $venv"
    "$python" -m venv "$venv" >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "the Python environment $venv could not be made; the reason is above."
    }
}

is_healthy() {
    [ -x "$venv/bin/python" ] && is_new_enough "$venv/bin/python" &&
        "$venv/bin/python" -c 'import pip' >/dev/null 2>&1
}

checksum() {
    "$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
}

# The stamp holds the checksum of every lock file whose packages are in the environment.
is_installed() {
    [ -f "$stamp" ] && grep -qx "$(checksum "$lock")" "$stamp"
}

install_locked() {
    say "installing the locked Python packages ($(basename "$lock"))"
    rm -f "$stamp"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: -r "$lock" ||
        fail "the Python packages could not be installed; the reason is above. Is there a network?"
    : >"$stamp.new"
    # The larger lock holds everything of the smaller one.
    if [ "$purpose" != run ]; then
        checksum "$root/packaging/requirements.lock" >>"$stamp.new"
    fi
    checksum "$lock" >>"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# The checkout itself becomes importable, and `candelabra` a command of the environment; nothing is copied.
install_command() {
    [ -x "$venv/bin/candelabra" ] && [ "$(sed -n 2p "$venv/bin/candelabra")" = "# $root" ] && return
    "$venv/bin/python" -c 'import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "candelabra.pth").write_text(sys.argv[1] + "\n")' "$root"
    # shellcheck disable=SC2016 # the command expands $0 when it runs
    printf '#!/bin/sh\n# %s\nexec "$(dirname "$0")/python" -P -m desktop "$@"\n' "$root" >"$venv/bin/candelabra"
    chmod +x "$venv/bin/candelabra"
}

# --- in order --------------------------------------------------------------------------------------------------

log=$(mktemp "${TMPDIR:-/tmp}/candelabra-setup.XXXXXX")
trap 'rm -f "$log"' EXIT
stamp=$venv/.candelabra-packages

system_packages
if ! is_healthy; then
    find_python
    make_venv
fi
is_installed || install_locked
install_command

# What a list of libraries cannot know: does Qt really load here?
if ! "$venv/bin/python" -c 'import PySide6.QtWidgets' 2>"$log"; then
    tail -n 1 "$log" >&2
    fail "Qt does not load: the library named above is missing. Please install it with your package manager."
fi
