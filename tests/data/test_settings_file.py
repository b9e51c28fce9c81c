"""The settings file: whatever is in it, the application starts."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data.settings_file import load, save
from desktop.domain.errors import CacheError
from desktop.domain.settings import Plan, Settings, Theme

CHANGED = Settings(
    theme=Theme.DARK,
    plan=Plan.PAID,
    rest_base="https://api.polygon.io",
    socket_base="ws://127.0.0.1:9000",
    ticker="X:ETHUSD",
    timeframe="4h",
    has_chosen_start=True,
    demo_seed=3,
    window={"state": "AAAA=="},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_what_is_saved_is_loaded_and_only_its_owner_reads_it(path: Path) -> None:
    save(path, CHANGED)
    assert load(path) == (CHANGED, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_a_missing_file_gives_the_defaults_without_a_word(path: Path) -> None:
    assert load(path) == (Settings(), [])


def test_a_wrong_value_costs_its_field_only(path: Path) -> None:
    path.write_text(json.dumps({"theme": "purple", "demo_seed": "7", "ticker": "AAPL", "from_the_future": 1}))
    found, sentences = load(path)
    assert found == Settings(ticker="AAPL")
    assert sentences == [
        f"The setting “{name}” is not usable; its default is in use." for name in ("theme", "demo_seed")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rest_base", "http://api.massive.com"),
        ("rest_base", "https://api.massive.com/?apiKey=1"),
        ("rest_base", "https://me:secret@api.massive.com"),
        ("rest_base", "https://[::1"),
        ("socket_base", "ws://socket.massive.com"),
        ("socket_base", "https://socket.massive.com"),
        ("socket_base", ""),
        ("ticker", "X:BTC USD\n"),
        ("timeframe", "7 bananas"),
        ("zone", "Mars/Olympus"),
        ("zone", "../../etc/passwd"),
        ("closed_time", "sometimes"),
    ],
)
def test_unsafe_values_are_not_used(path: Path, name: str, value: str) -> None:
    path.write_text(json.dumps({name: value}))
    found, sentences = load(path)
    assert found == Settings()
    assert len(sentences) == 1
    assert name in sentences[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"{}" + b" " * 5_000_000])
def test_a_broken_file_is_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    found, sentences = load(path)
    assert found == Settings()
    assert len(sentences) == 1
    (aside,) = path.parent.glob("settings.json.corrupt-*")
    assert aside.read_bytes() == content
    assert aside.name in sentences[0]
    assert load(path) == (Settings(), [])


def test_only_the_newest_broken_files_are_kept(path: Path) -> None:
    for name in ("20200101T000000Z", "20210101T000000Z", "20220101T000000Z"):
        path.with_name(f"settings.json.corrupt-{name}").write_text(name)
    path.write_text("{")
    load(path)
    kept = sorted(file.name for file in path.parent.glob("settings.json.corrupt-*"))
    assert len(kept) == 2
    assert kept[0].endswith("20220101T000000Z")


def test_saving_where_it_is_impossible_says_so_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be saved"):
        save(tmp_path / "file" / "settings.json", CHANGED)
    target = tmp_path / "settings.json"
    (target / "occupied").mkdir(parents=True)
    with pytest.raises(CacheError, match="cannot be saved"):
        save(target, CHANGED)
    assert sorted(os.listdir(tmp_path)) == ["file", "settings.json"]


def test_an_unreadable_file_gives_the_defaults(path: Path) -> None:
    path.mkdir()
    found, sentences = load(path)
    assert found == Settings()
    assert "cannot be read" in sentences[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x, max_size=3)
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(list(Settings.__dataclass_fields__)), JSON))
def test_no_value_of_any_field_keeps_the_application_from_starting(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(found))
    loaded, _sentences = load(path)
    save(path, loaded)
    assert load(path) == (loaded, [])
