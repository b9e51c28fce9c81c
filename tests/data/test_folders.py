"""Folders: private, telling, and readable when they cannot be had."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from desktop.data.folders import Folders, default_root
from desktop.domain.errors import CacheError
from desktop.domain.world import VENDOR, demo_world


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_folders_are_their_owners_alone(tmp_path: Path) -> None:
    folders = Folders.open(tmp_path / "new" / "data")
    made = [folders.root, folders.logs, folders.world(VENDOR), folders.application.socket.parent]
    assert [oct(mode(folder)) for folder in made] == ["0o700"] * 4


def test_an_open_sub_folder_is_closed_and_a_given_root_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    (root / "logs").mkdir(parents=True)
    root.chmod(0o755)
    (root / "logs").chmod(0o777)
    Folders.open(root)
    assert (mode(root), mode(root / "logs")) == (0o755, 0o700)


def test_worlds_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = Folders.open(tmp_path)
    assert folders.world(VENDOR) != folders.world(demo_world(7))
    assert folders.world(demo_world(7)).is_relative_to(tmp_path)


def test_the_default_is_below_the_users_data_folder() -> None:
    assert default_root() == Path(os.environ["XDG_DATA_HOME"]) / "candelabra"
    assert Folders.open().root == default_root()


def test_a_folder_that_cannot_be_made_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match=r"The data folder .* cannot be written .*--data-dir"):
        Folders.open(tmp_path / "file" / "data")
    folders = Folders.open(tmp_path / "data")
    (folders.root / "worlds").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be made"):
        folders.world(VENDOR)


def test_sockets_tell_data_folders_and_worlds_apart_and_stay_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    one, other = Folders.open(tmp_path / "one"), Folders.open(tmp_path / ("deep" * 40))
    assert one.application == Folders.open(tmp_path / "one").application
    claims = [one.application, one.claim(VENDOR), one.claim(demo_world(7)), other.application, other.claim(VENDOR)]
    assert len({claim.socket.name for claim in claims}) == len({claim.lock for claim in claims}) == len(claims)
    assert all(len(os.fsencode(claim.socket)) <= 100 for claim in claims)


def test_sockets_lie_in_the_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="rt") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert Folders.open(tmp_path).application.socket.parent == Path(runtime) / "candelabra"
