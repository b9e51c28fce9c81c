"""The lock on a folder: one holder, gone with its process, silent about keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.data.folder_lock import FolderLock, Owner, read_owner
from desktop.domain.errors import CacheError
from tests.helpers.feed_server import PROJECT

HOLD = """
import sys
from pathlib import Path
from desktop.data.folder_lock import FolderLock, Owner
lock = FolderLock.try_take(Path(sys.argv[1]))
lock.publish(Owner(1, "unix:/nowhere", "token"))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_holds_it_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "owner.lock"
    first = FolderLock.try_take(path)
    assert first is not None
    assert FolderLock.try_take(path) is None
    first.publish(Owner(7, "unix:/run/x.sock", "secret", "https://api.massive.com"))
    assert read_owner(path) == Owner(7, "unix:/run/x.sock", "secret", "https://api.massive.com")
    first.publish(Owner(8, "tcp:127.0.0.1:1", ""))
    assert read_owner(path) == Owner(8, "tcp:127.0.0.1:1", "")
    first.release()
    first.release()
    assert read_owner(path) is None
    second = FolderLock.try_take(path)
    assert second is not None
    second.release()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_it_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    lock = FolderLock.try_take(tmp_path / "owner.lock")
    assert lock is not None
    assert lock.path.stat().st_mode & 0o777 == 0o600
    lock.release()


def test_it_dies_with_its_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "owner.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert FolderLock.try_take(path) is None
    holder.kill()
    holder.communicate()
    assert read_owner(path) is not None  # its words are left
    lock = FolderLock.try_take(path)
    assert lock is not None
    assert read_owner(path) is None
    lock.release()


def test_a_lock_that_cannot_be_had_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="--data-dir"):
        FolderLock.try_take(tmp_path / "file" / "owner.lock")


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff\xfe", b'{"pid": 1}', b"x" * 100_000])
def test_what_somebody_else_wrote_names_no_owner(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "owner.lock").write_bytes(content)
    assert read_owner(tmp_path / "owner.lock") is None
