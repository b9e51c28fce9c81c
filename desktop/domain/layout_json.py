"""A layout as JSON, for the user's file.

Reading is strict: what is not understood is refused as a whole,
but for a chart's look, of which what is unknown is as usual."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from desktop.domain.errors import BadInput
from desktop.domain.layout import MOST_TABS, Cell, Grid, Layout, Link, LinkOptions, Tab
from desktop.domain.look import Look
from desktop.domain.timeframe import Timeframe

VERSION: Final = 1
_MOST_CHARACTERS: Final = 1 << 20

E = TypeVar("E", Grid, Link)


def dump(layout: Layout) -> str:
    """A layout as a text; `load` gives back an equal one."""
    tabs = [
        {
            "name": tab.name,
            "grid": tab.grid.value,
            "active": tab.active,
            "cells": [
                {
                    "ticker": cell.ticker,
                    "timeframe": str(cell.timeframe),
                    "link": None if cell.link is None else cell.link.value,
                    "look": cell.look.to_dict(),
                }
                for cell in tab.cells
            ],
        }
        for tab in layout.tabs
    ]
    links = {
        link.value: {"interval": shared.interval, "crosshair": shared.crosshair, "range": shared.range}
        for link, shared in layout.links.items()
    }
    held = {"version": VERSION, "active": layout.active, "tabs": tabs, "links": links}
    return json.dumps(held, ensure_ascii=False, allow_nan=False)


def load(text: str) -> Layout:
    """The layout of a text that `dump` wrote. Raises BadInput with a sentence, whatever the text is."""
    if len(text) > _MOST_CHARACTERS:
        raise BadInput("The saved layout is too large.")
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("The saved layout cannot be read.") from error
    if isinstance(held, dict) and held.get("version") != VERSION:
        raise BadInput("A newer version of Candelabra wrote the saved layout.", next_step="Update Candelabra.")
    values = _fields(held, {"version", "active", "tabs", "links"}, "layout")
    links = values["links"]
    if not isinstance(links, dict):
        raise BadInput("The links of a layout are not written as they should be.")
    return Layout(
        tuple(_tab(tab) for tab in _list(values["tabs"], MOST_TABS)),
        _index(values["active"]),
        {_choice(Link, name): _options(shared) for name, shared in links.items()},
    )


def _tab(value: object) -> Tab:
    values = _fields(value, {"name", "grid", "active", "cells"}, "tab")
    grid = _choice(Grid, values["grid"])
    cells = tuple(_cell(cell) for cell in _list(values["cells"], grid.size))
    return Tab(cells, grid, _index(values["active"]), _text(values["name"]))


def _cell(value: object) -> Cell:
    values = _fields(value, {"ticker", "timeframe", "link", "look"}, "chart")
    link = values["link"]
    timeframe = Timeframe.parse(_text(values["timeframe"]))
    return Cell(
        _text(values["ticker"]),
        timeframe,
        None if link is None else _choice(Link, link),
        Look.from_dict(values["look"]),
    )


def _options(value: object) -> LinkOptions:
    values = _fields(value, {"interval", "crosshair", "range"}, "link")
    if not all(isinstance(shared, bool) for shared in values.values()):
        raise BadInput("A link of a layout has something else where true or false should be.")
    return LinkOptions(**values)


def _fields(value: object, names: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise BadInput(f"A {what} of the saved layout is not written as it should be.")
    return value


def _list(value: object, most: int) -> list[object]:
    if not isinstance(value, list) or len(value) > most:
        raise BadInput(f"A layout has something else where a list of at most {most} should be.")
    return value


def _index(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput("A layout has something else where a whole number should be.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadInput("A layout has something else where a text should be.")
    return value


def _choice(kind: type[E], value: object) -> E:
    if value not in [each.value for each in kind]:
        raise BadInput(f"A layout has the unknown {kind.__name__.lower()} “{str(value)[:20]}”.")
    return kind(value)
