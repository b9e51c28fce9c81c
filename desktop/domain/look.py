"""How one chart is drawn: the kind of bars, the price scale, the studies. Plain data that is saved with a layout."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from desktop.domain.errors import BadInput
from desktop.domain.studies.study import Study

PANE_SHARE: Final = 0.15  # of the plot's height
LEAST_SHARE: Final = 0.05
MOST_SHARE: Final = 0.60
MOST_STUDIES: Final = 50

E = TypeVar("E", bound=enum.StrEnum)


class ChartKind(enum.StrEnum):
    """How a series is drawn."""

    CANDLES = "candles"
    HOLLOW = "hollow"
    BARS = "bars"
    LINE = "line"
    AREA = "area"
    BASELINE = "baseline"
    HEIKIN_ASHI = "heikin_ashi"

    @property
    def text(self) -> str:
        """As menus name it."""
        return _TEXTS[self]

    @property
    def is_line(self) -> bool:
        """Whether only closes are drawn, joined."""
        return self in (ChartKind.LINE, ChartKind.AREA, ChartKind.BASELINE)

    @property
    def is_synthetic(self) -> bool:
        """Whether what is drawn was never traded."""
        return self is ChartKind.HEIKIN_ASHI


_TEXTS: Final = {
    ChartKind.CANDLES: "Candles",
    ChartKind.HOLLOW: "Hollow candles",
    ChartKind.BARS: "Bars (OHLC)",
    ChartKind.LINE: "Line",
    ChartKind.AREA: "Area",
    ChartKind.BASELINE: "Baseline",
    ChartKind.HEIKIN_ASHI: "Heikin-Ashi",
}


class ScaleKind(enum.StrEnum):
    """How prices are spread over the height, and what the axis says."""

    LINEAR = "linear"
    LOG = "log"
    PERCENT = "percent"
    INDEXED = "indexed"


@dataclass(frozen=True, slots=True)
class StudyLook:
    """A study on a chart; share: of the plot's height, where it has a pane."""

    study: Study
    is_hidden: bool = False
    share: float = PANE_SHARE


@dataclass(frozen=True, slots=True)
class Look:
    """Everything about a chart's drawing that outlives it; studies in their order."""

    kind: ChartKind = ChartKind.CANDLES
    scale: ScaleKind = ScaleKind.LINEAR
    is_inverted: bool = False
    studies: tuple[StudyLook, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        studies = [
            {**one.study.to_dict(), "is_hidden": one.is_hidden, "share": round(one.share, 4)} for one in self.studies
        ]
        return {
            "kind": self.kind.value,
            "scale": self.scale.value,
            "is_inverted": self.is_inverted,
            "studies": studies,
        }

    @classmethod
    def from_dict(cls, saved: object) -> Look:
        """From what `to_dict` gave. What cannot be read, of another version perhaps, is as usual or left out."""
        if not isinstance(saved, Mapping):
            return cls()
        rows = saved.get("studies")
        studies = [_study_look(row) for row in rows[:MOST_STUDIES]] if isinstance(rows, list) else []
        return cls(
            _member(ChartKind, saved.get("kind"), ChartKind.CANDLES),
            _member(ScaleKind, saved.get("scale"), ScaleKind.LINEAR),
            saved.get("is_inverted") is True,
            tuple(study for study in studies if study is not None),
        )


def held_share(share: float) -> float:
    """A share within its limits."""
    return min(max(share, LEAST_SHARE), MOST_SHARE)


def _study_look(row: object) -> StudyLook | None:
    try:
        study = Study.from_dict(row)
    except BadInput:
        return None
    assert isinstance(row, Mapping)
    share = row.get("share")
    if isinstance(share, bool) or not isinstance(share, int | float):
        share = PANE_SHARE
    return StudyLook(study, row.get("is_hidden") is True, held_share(float(share)))


def _member(kind: type[E], value: object, usual: E) -> E:
    return kind(value) if isinstance(value, str) and value in {member.value for member in kind} else usual
