"""Drawings as JSON, for the user's file, the clipboard and exports. Reading is strict: it comes from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from desktop.domain.drawings import Anchor, Dash, Drawing, Kind, Style
from desktop.domain.errors import BadInput

VERSION: Final = 1
MOST_DRAWINGS: Final = 5_000
_FORMAT: Final = "candelabra-drawings"
_MOST_CHARACTERS: Final = 8 << 20


def as_record(drawing: Drawing) -> dict[str, Any]:
    """A drawing as plain JSON values; `from_record` gives back an equal one, prices bit for bit."""
    return {
        "id": drawing.id,
        "kind": drawing.kind.value,
        "anchors": [[anchor.time_ms, anchor.price] for anchor in drawing.anchors],
        "style": {
            "colour": drawing.style.colour,
            "width": drawing.style.width,
            "dash": drawing.style.dash.value,
        },
        "text": drawing.text,
        "is_locked": drawing.is_locked,
        "is_hidden": drawing.is_hidden,
    }


def from_record(record: object) -> Drawing:
    """The drawing a record stands for. Raises BadInput."""
    values = _fields(record, {"id", "kind", "anchors", "style", "text", "is_locked", "is_hidden"}, "drawing")
    look = _fields(values["style"], {"colour", "width", "dash"}, "style of a drawing")
    kind, dash = _text(values["kind"]), _text(look["dash"])
    if kind not in list(Kind):
        raise BadInput(f"There is no drawing of the kind “{kind[:20]}”.")
    if dash not in list(Dash):
        raise BadInput(f"There is no line of the kind “{dash[:20]}”.")
    anchors = values["anchors"]
    if not isinstance(anchors, list):
        raise BadInput("The anchors of a drawing are not a list.")
    return Drawing(
        Kind(kind),
        tuple(_anchor(anchor) for anchor in anchors),
        Style(_text(look["colour"]), _number(look["width"]), Dash(dash)),
        _text(values["text"]),
        _flag(values["is_locked"]),
        _flag(values["is_hidden"]),
        _text(values["id"]),
    )


def dump(drawings: Sequence[Drawing], ticker: str = "") -> str:
    """Drawings as a text to be kept or passed on."""
    held = {"format": _FORMAT, "version": VERSION, "ticker": ticker, "drawings": [as_record(each) for each in drawings]}
    return json.dumps(held, ensure_ascii=False, indent=1, allow_nan=False)


def load(text: str) -> tuple[Drawing, ...]:
    """The drawings of a text that `dump` wrote, no id twice. Raises BadInput with a sentence, whatever the text is."""
    if len(text) > _MOST_CHARACTERS:
        raise BadInput("The file with drawings is too large.")
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("This is no file with drawings.", next_step="Choose one that Candelabra exported.") from error
    if not isinstance(held, dict) or held.get("format") != _FORMAT:
        raise BadInput("This is no file with drawings.", next_step="Choose one that Candelabra exported.")
    if held.get("version") != VERSION:
        raise BadInput("A newer version of Candelabra wrote these drawings.", next_step="Update Candelabra.")
    values = _fields(held, {"format", "version", "ticker", "drawings"}, "file")
    records = values["drawings"]
    if not isinstance(records, list) or len(records) > MOST_DRAWINGS:
        raise BadInput(f"The drawings of the file are not a list of at most {MOST_DRAWINGS:,}.")
    drawings = tuple(from_record(record) for record in records)
    if len({drawing.id for drawing in drawings}) < len(drawings):
        raise BadInput("Two drawings of the file have the same id.")
    return drawings


def _fields(value: object, names: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"A {what} is not written as it should be.")
    if missing := sorted(names - value.keys()):
        raise BadInput(f"A {what} lacks “{missing[0]}”.")
    if unknown := sorted(value.keys() - names):
        raise BadInput(f"A {what} has the unknown entry “{unknown[0][:20]}”.")
    return value


def _anchor(value: object) -> Anchor:
    if not isinstance(value, list) or len(value) != 2:
        raise BadInput("An anchor of a drawing is not a time and a price.")
    time_ms, price = value
    if isinstance(time_ms, bool) or not isinstance(time_ms, int):
        raise BadInput("The time of an anchor is not a whole number of milliseconds.")
    return Anchor(time_ms, _number(price))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or value != value:
        raise BadInput("A drawing has something else where a number should be.")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):  # halves of letters
        raise BadInput("A drawing has something else where a text should be.")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadInput("A drawing has something else where true or false should be.")
    return value
