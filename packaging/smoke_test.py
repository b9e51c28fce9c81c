"""Proves that the frozen application starts: version, a live demo picture without a screen, no missing library."""

# ruff: noqa: T201 - a command line tool: what it prints is its answer
from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_LIMIT_S = 120
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Left to the system on purpose: a package for a distribution depends on them (docs/decisions.md).
FROM_THE_SYSTEM = re.compile(r"lib(EGL|GL|GLX|OpenGL|stdc\+\+|gcc_s|xcb|wayland-|X11)[-.\w+]*\.so")


class Failed(Exception):
    """One sentence: what the frozen application did not do."""


def main(arguments: list[str]) -> int:
    """arguments: the folder that PyInstaller made."""
    folder = Path(arguments[0] if arguments else "dist/candelabra").resolve()
    binary = folder / ("candelabra.exe" if sys.platform == "win32" else "candelabra")
    try:
        if not binary.is_file():
            raise Failed(f"there is no {binary}")
        check_libraries(folder)
        version_s, version = check_version(binary)
        live_s, facts = check_live(binary)
    except Failed as failure:
        print(f"smoke test failed: {failure}", file=sys.stderr)
        return 1
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    size_mb = sum(file.stat().st_size for file in files) / 1e6
    print(facts)
    print(
        f"package: {version}, {size_mb:.0f} MB in {len(files)} files, --version {version_s:.2f} s, "
        f"start to live picture and end {live_s:.2f} s"
    )
    return 0


def check_libraries(folder: Path) -> None:
    """Every bundled library finds what it links to, in the folder or among what the system provides."""
    if not sys.platform.startswith("linux"):
        return
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder / "_internal")}
    missing = set()
    for file in folder.rglob("*.so*"):
        if file.is_symlink():
            continue
        listing = subprocess.run(["ldd", str(file)], env=environment, capture_output=True, text=True, check=False)
        for line in listing.stdout.splitlines():
            name = line.split()[0]
            if "not found" in line and not FROM_THE_SYSTEM.match(name):
                missing.add(f"{name} (of {file.relative_to(folder)})")
    if missing:
        raise Failed(f"libraries are missing: {', '.join(sorted(missing))}")


def check_version(binary: Path) -> tuple[float, str]:
    """Seconds it took and what it said."""
    seconds, said = _run([str(binary), "--version"], Path.cwd())
    if not re.fullmatch(r"candelabra \d+\.\d+\.\d+\S*", said):
        raise Failed(f"--version said “{said}”")
    return seconds, said


def check_live(binary: Path) -> tuple[float, str]:
    """Seconds from process start to its end after a candle moved, and its line of facts."""
    with tempfile.TemporaryDirectory(prefix="candelabra-smoke-") as scratch:
        picture = Path(scratch) / "live.png"
        seconds, said = _run(
            [str(binary), "--demo", "--until-live", "--screenshot", str(picture), "--data-dir", f"{scratch}/data"],
            Path(scratch),
        )
        facts = next((line for line in said.splitlines() if line.startswith("live:")), None)
        if facts is None:
            raise Failed(f"no live candle was reported; it said “{said}”")
        if not picture.is_file() or not picture.read_bytes().startswith(PNG_SIGNATURE):
            raise Failed("no picture was written")
    return seconds, facts


def _run(command: list[str], folder: Path) -> tuple[float, str]:
    """Runs without a screen, a key or the builder's Python; the answer is its time and its stdout."""
    kept = ("PATH", "HOME", "TMPDIR", "SystemRoot", "TEMP", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | {"QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command[1:])} did not end within {START_LIMIT_S} s") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[1:])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started, done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
