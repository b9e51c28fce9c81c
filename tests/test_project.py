"""The repository keeps its promises: locks that name no host, documents that match, a set-up that explains."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from desktop.commands.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
REGISTRY = re.compile(rb"https?://[^ ]*(/simple|/packages/)")


def _tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def _requirements(lock: str) -> list[str]:
    """One text per requirement, its hashes included."""
    text = (ROOT / "packaging" / lock).read_text(encoding="utf-8")
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


# --- locks ---


def test_the_registry_pattern_finds_one() -> None:
    assert REGISTRY.search(b"index https://example.org/py" + b"/simple\n")


def test_no_tracked_file_names_a_package_registry() -> None:
    tracked = _tracked_files()
    assert tracked
    assert [str(file) for file in tracked if REGISTRY.search(file.read_bytes())] == []
    assert not {"uv.lock", "pylock.toml"} & {file.name for file in tracked}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    requirements = _requirements(lock)
    assert len(requirements) > 10
    for requirement in requirements:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+ ", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement
        assert "://" not in requirement


def test_the_larger_lock_holds_the_smaller_one() -> None:
    small, large = ({text.split()[0] for text in _requirements(lock)} for lock in LOCKS)
    assert small <= large


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=;\[ ]", text)[0].lower().replace("_", "-") for text in requirements}

    assert names(project["project"]["dependencies"]) <= names(_requirements("requirements.lock"))
    assert names(project["dependency-groups"]["dev"]) <= names(_requirements("requirements-dev.lock"))


# --- documents ---


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """Long options of a parser and its subcommands, and the names of the subcommands."""
    found: set[str] = set()
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            found |= {name for name in action.option_strings if name.startswith("--")}
        if isinstance(action, argparse._SubParsersAction):
            for name, subparser in action.choices.items():
                found |= {name} | _options(subparser)
    return found


def test_the_readme_names_every_command_and_option() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"(?<![\w-])(?:--)?[a-z][a-z0-9-]*", readme))
    assert sorted(_options(build_parser()) - words) == []


def test_the_readme_names_no_option_that_does_not_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    elsewhere = set(re.findall(r"(?:pip|venv|apt-get|git|mypy) [^\n`]*?(--[a-z-]+)", readme))
    assert sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", readme)) - elsewhere - _options(build_parser())) == []


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/decisions.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    local = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in local if not ((ROOT / document).parent / link).exists()] == []


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in ("README.md", "docs/architecture.md", "docs/decisions.md"):
        named = set(
            re.findall(r"(?:`|^|\s{4})make ([a-z]+)", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= targets, document
    assert {"run", "test", "soak", "bench", "lint", "types", "ci", "package", "clean", "lock"} <= targets


def test_every_decision_has_a_date() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert titles
    assert [title for title in titles if not re.match(r"20\d\d-\d\d-\d\d ", title)] == []


# --- set-up on other machines ---

TOOLS = "basename cat dirname env find grep head id mktemp mv printf rm sed sh tail tr true uname"


class Machine:
    """A PATH of its own: the tools a system always has, a loader that knows all libraries, no package manager."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.venv = folder / "venv"
        self._home = folder / "home"
        self.bin.mkdir()
        for tool in TOOLS.split():
            if (path := shutil.which(tool)) is not None:
                (self.bin / tool).symlink_to(path)
        (self._home / ".fonts").mkdir(parents=True)
        (self._home / ".fonts" / "some.ttf").touch()
        setup = (ROOT / "packaging" / "setup.sh").read_text(encoding="utf-8")
        self.libraries = re.findall(r"^(?:\w+=')?(lib\S+\.so\.\d+) ", setup, re.MULTILINE)
        self.knows(self.libraries)
        self.command("python3", f'exec "{sys.executable}" "$@"')

    def command(self, name: str, script: str) -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def knows(self, libraries: list[str]) -> None:
        self.command(
            "ldconfig", "\n".join(f"echo '\t{name} (libc6,x86-64) => /lib/{name}'" for name in libraries) or ":"
        )

    def set_up(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "packaging" / "setup.sh"), "run"],
            env={"PATH": str(self.bin), "HOME": str(self._home), "VENV": str(self.venv), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux's set-up")
    return Machine(tmp_path)


def test_an_old_python_is_named_with_the_remedy(machine: Machine) -> None:
    machine.command("python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1')
    done = machine.set_up()
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, found: Python 3.9.2" in done.stderr
    assert "PYTHON=" in done.stderr


def test_a_chosen_python_that_is_too_old_is_refused(machine: Machine) -> None:
    machine.command("old", "exit 1")
    done = machine.set_up(PYTHON="old")
    assert done.returncode == 1
    assert "PYTHON=old is not Python 3.11 or newer" in done.stderr


def test_one_sentence_names_all_that_is_missing_venv_included(machine: Machine, tmp_path: Path) -> None:
    machine.knows([name for name in machine.libraries if name != "libGL.so.1"])
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "ensurepip.py").write_text("raise ImportError('left out')", encoding="utf-8")
    machine.command("python3", f'PYTHONPATH="{tmp_path}/without" exec "{sys.executable}" "$@"')
    done = machine.set_up()
    assert done.returncode == 1
    assert re.search(r"system packages are missing\..*: libgl1 python3(\.\d+)?-venv$", done.stderr.strip())
    assert not machine.venv.exists()


def test_missing_libraries_are_named_when_nothing_may_be_installed(machine: Machine) -> None:
    machine.knows([name for name in machine.libraries if name not in {"libGL.so.1", "libxcb-cursor.so.0"}])
    done = machine.set_up()
    assert done.returncode == 1
    assert re.search(r"system packages are missing\..*: libgl1 libxcb-cursor0$", done.stderr.strip())


def test_system_packages_are_left_alone_when_told_so(machine: Machine) -> None:
    machine.knows([])
    machine.command("apt-get", "echo installing; exit 0")
    machine.command("sudo", 'shift; exec "$@"')
    done = machine.set_up(CANDELABRA_SYSTEM_PACKAGES="no")
    assert done.returncode == 1
    assert "installing" not in done.stdout + done.stderr
    assert "sudo apt-get install libgl1" in done.stderr


def test_missing_libraries_are_installed_where_that_is_allowed(machine: Machine, tmp_path: Path) -> None:
    machine.knows([name for name in machine.libraries if name != "libEGL.so.1"])
    machine.command("sudo", 'shift; exec "$@"')
    machine.command("apt-get", f'echo "$*" >> "{tmp_path}/installed"')
    machine.command("python3", "exit 1")  # ends the set-up after the system packages
    machine.set_up()
    calls = (tmp_path / "installed").read_text(encoding="utf-8").splitlines()
    assert calls[0].endswith("install --no-install-recommends libegl1")


def test_a_newer_python_beside_an_old_one_is_installed_where_that_is_allowed(machine: Machine, tmp_path: Path) -> None:
    machine.command("python3", '[ "$1" = --version ] && echo "Python 3.10.12" && exit 0; exit 1')
    machine.command("sudo", 'shift; exec "$@"')
    machine.command("apt-cache", "case $2 in python3.12-venv) exit 0 ;; esac; exit 100")
    machine.command(
        "python-of-the-package", f'echo "$*" >> "{tmp_path}/started"; exec "{sys.executable}" -c "raise SystemExit"'
    )
    machine.command(
        "apt-get",
        f'case $* in *python3.12-venv) mv "{machine.bin}/python-of-the-package" "{machine.bin}/python3.12" ;; esac',
    )
    machine.set_up()
    assert f"-m venv {machine.venv}" in (tmp_path / "started").read_text(encoding="utf-8")


# --- continuous integration ---


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    ("suite", "mypy", "verdict", "code"),
    [(0, 0, "=== all passed", 0), (1, 0, "=== failed: tests", 1), (0, 1, "=== failed: types", 1)],
)
def test_ci_runs_every_section_and_says_what_failed(
    tmp_path: Path, suite: int, mypy: int, verdict: str, code: int
) -> None:
    summary = "======== 7 passed in 1.00s ========"
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for file, script in (
        (tmp_path / "make", f'echo "{summary}"; exit {suite}'),
        (python, f'echo "$2" >> "{tmp_path}/ran"; [ "$2" != mypy ] || exit {mypy}'),
    ):
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)
    environ = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VENV": str(tmp_path / "venv")}
    done = subprocess.run([str(ROOT / ".ci" / "run")], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout.splitlines()[-2:] == [verdict, summary]
    assert (tmp_path / "ran").read_text(encoding="utf-8").split() == ["ruff", "ruff", "mypy", "pytest"]


@pytest.mark.skipif(os.name == "nt", reason="no shell scripts")
def test_the_scripts_can_be_started() -> None:
    scripts = [ROOT / ".ci" / "run", *(ROOT / "packaging").glob("*.sh")]
    assert [str(script) for script in scripts if not os.access(script, os.X_OK)] == []
