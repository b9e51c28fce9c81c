"""The table of actions: no key means two things, every row of the keyboard's specification is there or excused."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtGui import QKeySequence

from desktop.ui.actions import ACTIONS, MENUS, ActionSpec, can_meet, spec_of

# The specified keys, in its order: the action each starts, or why there is none.
SPECIFIED: dict[str, str] = {
    "Left": "time.bar_left",
    "Right": "time.bar_right",
    "Ctrl+Left": "time.bars_left",
    "Ctrl+Right": "time.bars_right",
    "Home": "time.first",
    "End": "time.latest",
    "Alt+End": "time.latest_reset",
    "Shift+Left": "measure.left",
    "Shift+Right": "measure.right",
    "PgUp": "time.screen_back",
    "PgDown": "time.screen_forward",
    "Up": "symbol.previous",
    "Down": "symbol.next",
    "Ctrl+Up": "time.zoom_in",
    "Ctrl+Down": "time.zoom_out",
    "+": "time.zoom_in",
    "-": "time.zoom_out",
    ",": "interval.open",
    "?": "help.shortcuts",
    "F1": "help.shortcuts",
    "Ctrl+K": "palette.open",
    "Ctrl+P": "palette.open",
    "Ctrl+F": "search.open",
    "Alt+L": "scale.log",
    "Alt+P": "scale.percent",
    "Alt+I": "scale.invert",
    "Alt+R": "view.reset",
    "Alt+G": "time.go_to",
    "Alt+Return": "view.maximise",
    "F11": "view.full_screen",
    "Alt+S": "image.save",
    "Ctrl+Shift+S": "image.copy",
    "Ctrl+Shift+T": "table.show",
    "Alt+W": "watchlist.toggle",
    "Ctrl+C": "bar.copy",
    "Ctrl+,": "settings.open",
    "F5": "audit.open",
    "F6": "panel.next",
    "Shift+F6": "panel.previous",
    "Esc": "chart.leave",
    "Ctrl+T": "tab.new",
    "Ctrl+W": "tab.close",
    "Ctrl+Tab": "chart.next",
    "Ctrl+1": "chart.number_1",
    "/": "study.add",
    "Alt+H": "draw.horizontal",
    "Alt+V": "draw.vertical",
    "Alt+T": "draw.trend",
    "Alt+J": "draw.ray",
    "Alt+M": "draw.measure",
    "Alt+F": "draw.fibonacci",
    "Ctrl+Alt+H": "drawings.hide",
    "Ctrl+Z": "edit.undo",
    "Ctrl+Y": "edit.redo",
    "Ctrl+V": "drawing.paste",
    "Del": "drawing.remove",
}
# Keys without an action; move a row up when its action comes.
NOT_THERE: dict[str, str] = {
    "A … Z": "typed text, not an action: the search opens with the letter",
    "0 … 9": "typed text, not an action: the interval box opens with the digit",
    "Ctrl+Return": "opens in a new tab: a key of the search's list",
    "Shift+Return": "adds to the watchlist: a key of the search's list",
    "Space": "optional: Down does the same",
    "Shift+Space": "optional: Up does the same",
    ".": "layouts",
    "Alt+A": "alerts",
    "Alt+C": "cross line",
    "Ctrl+S": "layouts",
    "T": "a letter opens the search; Ctrl+Shift+T shows the table",
}


def keys_of(spec: ActionSpec) -> set[str]:
    return {QKeySequence(key).toString() for key in spec.keys}


def mnemonic(text: str) -> str:
    return QKeySequence.mnemonic(text).toString()


def test_ids_are_given_once() -> None:
    ids = [spec.id for spec in ACTIONS]
    assert len(ids) == len(set(ids))
    assert all(spec_of(action_id).id == action_id for action_id in ids)
    with pytest.raises(KeyError):
        spec_of("nothing.like_that")


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.id)
def test_keys_are_known_to_qt_and_texts_are_there(spec: ActionSpec) -> None:
    assert spec.name
    assert len(keys_of(spec)) == len(spec.keys)
    for key in spec.keys:
        assert QKeySequence(key).toString() == key, f"Qt writes {key} as {QKeySequence(key).toString()}"


def test_no_key_means_two_things_where_both_count() -> None:
    clashes = [
        (one.id, other.id, shared)
        for one, other in combinations(ACTIONS, 2)
        if can_meet(one.context, other.context) and (shared := keys_of(one) & keys_of(other))
    ]
    assert clashes == []


def test_a_clash_would_be_found() -> None:
    save, bar = spec_of("image.save"), ActionSpec("x", "X", ("Alt+S",), "chart")
    assert can_meet(save.context, bar.context)
    assert keys_of(save) & keys_of(bar)
    assert not can_meet("chart", "drawing")
    assert not can_meet("chart", "list")


def test_no_menu_of_the_bar_takes_a_key_of_an_action() -> None:
    taken = {key for spec in ACTIONS for key in keys_of(spec)} | set(SPECIFIED) | set(NOT_THERE)
    assert [text for _, text in MENUS if mnemonic(text) in taken] == []
    mnemonics = [mnemonic(text) for _, text in MENUS if mnemonic(text)]
    assert len(mnemonics) == len(set(mnemonics))


@pytest.mark.parametrize("menu", [name for name, _ in MENUS])
def test_mnemonics_within_a_menu_differ(menu: str) -> None:
    mnemonics = [mnemonic(spec.text) for spec in ACTIONS if spec.menu == menu and mnemonic(spec.text)]
    assert len(mnemonics) == len(set(mnemonics))


@pytest.mark.parametrize(("key", "action_id"), SPECIFIED.items())
def test_a_specified_key_starts_its_action(key: str, action_id: str) -> None:
    assert QKeySequence(key).toString() in keys_of(spec_of(action_id))


def test_every_specified_key_is_there_or_excused() -> None:
    assert not SPECIFIED.keys() & NOT_THERE.keys()
    assert all(NOT_THERE.values())
    held = {key for spec in ACTIONS if spec.context != "list" for key in keys_of(spec)}
    assert held & NOT_THERE.keys() == set(), "these are there now: move them up"
