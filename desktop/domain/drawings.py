"""Drawings on a chart: lines, shapes and texts that hold on to moments and prices."""

from __future__ import annotations

import enum
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, NamedTuple

from desktop.domain.errors import BadInput

MOST_TEXT: Final = 500  # characters
_MOST_ID: Final = 64
_EARLIEST_MS: Final = -10_000_000_000_000  # the years 1653 to 2286, so that a date can always be made of it
_LATEST_MS: Final = 10_000_000_000_000
_MOST_PRICE: Final = 1e15
_HEX: Final = re.compile(r"#[0-9A-Fa-f]{6}")


class Kind(enum.StrEnum):
    """What is drawn."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"
    TREND = "trend"
    RAY = "ray"
    EXTENDED = "extended"
    RECTANGLE = "rectangle"
    CHANNEL = "channel"
    FIBONACCI = "fibonacci"
    TEXT = "text"
    ARROW = "arrow"
    MEASURE = "measure"

    @property
    def name_text(self) -> str:
        """As menus and tooltips name it."""
        return _NAMES[self]

    @property
    def anchor_count(self) -> int:
        """How many places define it."""
        return _ANCHORS.get(self, 2)


_NAMES: Final = {
    Kind.HORIZONTAL: "Horizontal line",
    Kind.VERTICAL: "Vertical line",
    Kind.TREND: "Trend line",
    Kind.RAY: "Ray",
    Kind.EXTENDED: "Extended line",
    Kind.RECTANGLE: "Rectangle",
    Kind.CHANNEL: "Parallel channel",
    Kind.FIBONACCI: "Fibonacci retracement",
    Kind.TEXT: "Text",
    Kind.ARROW: "Arrow",
    Kind.MEASURE: "Measure",
}
_ANCHORS: Final = {Kind.HORIZONTAL: 1, Kind.VERTICAL: 1, Kind.TEXT: 1, Kind.CHANNEL: 3}


class Dash(enum.StrEnum):
    """How a line is broken."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


class Role(enum.StrEnum):
    """A colour by what it is for; the theme says which one that is."""

    ACCENT = "accent"
    TEXT = "text"
    UP = "up"
    DOWN = "down"
    WARNING = "warning"
    NEUTRAL = "neutral"


WIDTHS: Final = (1.0, 1.5, 2.5, 4.0)


class Anchor(NamedTuple):
    """A place on the chart that no zoom, no older history and no other timeframe moves. time_ms: UTC."""

    time_ms: int
    price: float


@dataclass(frozen=True, slots=True)
class Style:
    """How a drawing looks. colour: the value of a `Role`, or `#RRGGBB`; width: logical pixels."""

    colour: str = Role.ACCENT.value
    width: float = 1.5
    dash: Dash = Dash.SOLID

    def __post_init__(self) -> None:
        if self.colour not in [role.value for role in Role] and not _HEX.fullmatch(self.colour):
            raise BadInput(f"“{self.colour[:20]}” is no colour of a drawing.")
        if not 0.5 <= self.width <= 10:
            raise BadInput("A line is between 0.5 and 10 pixels wide.")


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing. Raises BadInput for anchors that are too many, too few or nowhere."""

    kind: Kind
    anchors: tuple[Anchor, ...]
    style: Style = field(default_factory=Style)
    text: str = ""
    is_locked: bool = False
    is_hidden: bool = False
    id: str = field(default_factory=_new_id)

    def __post_init__(self) -> None:
        if not self.id or len(self.id) > _MOST_ID:
            raise BadInput("A drawing without a proper id cannot be kept.")
        if len(self.anchors) != self.kind.anchor_count:
            raise BadInput(f"A drawing “{self.kind.name_text}” has {self.kind.anchor_count} anchors.")
        if len(self.text) > MOST_TEXT:
            raise BadInput(f"The text of a drawing has at most {MOST_TEXT} characters.")
        for anchor in self.anchors:
            if not _EARLIEST_MS <= anchor.time_ms <= _LATEST_MS:
                raise BadInput("A drawing lies outside of the times that a chart can show.")
            if not abs(anchor.price) <= _MOST_PRICE:  # NaN too
                raise BadInput("A drawing lies outside of the prices that a chart can show.")

    def with_anchor(self, index: int, anchor: Anchor) -> Drawing:
        """One anchor elsewhere; the others stay bit for bit."""
        return replace(self, anchors=(*self.anchors[:index], anchor, *self.anchors[index + 1 :]))

    def nudged(self, ticks: int, tick: float) -> Drawing:
        """All anchors higher by so many ticks; `tick` is a price step. Exact in decimal digits."""
        step = Decimal(repr(tick)) * ticks
        shifted = (Anchor(time_ms, float(Decimal(repr(price)) + step)) for time_ms, price in self.anchors)
        return replace(self, anchors=tuple(shifted))

    def shifted(self, shift_ms: int) -> Drawing:
        """All anchors later by so much."""
        return replace(self, anchors=tuple(Anchor(time_ms + shift_ms, price) for time_ms, price in self.anchors))

    def clone(self) -> Drawing:
        """The same under an id of its own, free to be moved."""
        return replace(self, id=_new_id(), is_locked=False)


def tick_of(decimals: int) -> float:
    """The smallest step of prices written with so many digits after the point."""
    return float(Decimal(1).scaleb(-decimals))


def rounded(price: float, decimals: int) -> float:
    """A price as it is written, where it can be: digits nobody meant are left out."""
    if not math.isfinite(price) or abs(price) >= _MOST_PRICE:
        return price
    return float(round(Decimal(repr(price)), decimals))


def by_id(drawings: tuple[Drawing, ...]) -> Mapping[str, Drawing]:
    """The drawings by their ids."""
    return {drawing.id: drawing for drawing in drawings}
