"""What one study is made of: parameters, plots, levels, and how its values are computed. Data, no code of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from desktop.domain.market import Market
from desktop.domain.studies.kernel import Kernel
from desktop.domain.studies.sources import SOURCES

Value = int | float | str
Place = Literal["overlay", "pane"]
Axis = Literal["price", "volume", "own"]
ParameterKind = Literal["int", "float", "choice", "source", "anchor"]
PlotKind = Literal["line", "histogram", "band", "dots", "cloud"]
ColourRole = Literal["first", "second", "third", "fourth", "up", "down", "muted", "trend"]

ANCHORS: Final = ("session", "day", "week")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a person can set. Numbers have limits and a step, the other kinds have `choices`."""

    name: str
    label: str
    kind: ParameterKind
    default: Value
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 1.0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """One thing to draw from `outputs`, the positions among the study's outputs it needs.

    line, dots: one output. histogram: one output, from zero; "trend" colours it "up" above and "down" below zero.
    band: lower and upper edge, filled between. cloud: two outputs, filled in "up" where the first is higher and in
    "down" elsewhere. A line or dots in "trend" are "up" where they lie below the close, else "down".
    `shift` names the parameter that displaces the plot: by (value - 1) slots of the time axis, to the right for
    `shift_sign` 1 and to the left for -1. The outputs themselves stay aligned with the bars that gave them.
    """

    name: str
    label: str
    kind: PlotKind
    colour: ColourRole
    outputs: tuple[int, ...]
    shift: str = ""
    shift_sign: int = 1


class Parameters:
    """Checked values by name, typed for those who compute."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def whole(self, name: str) -> int:
        return int(self._values[name])

    def number(self, name: str) -> float:
        return float(self._values[name])

    def text(self, name: str) -> str:
        return str(self._values[name])


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """A study as the registry knows it.

    `axis` says which scale an overlay is drawn on; a pane has its "own". `scales`: takes part in autoscale.
    `output_names` are the values in order; `kernel` may compute more columns behind them for its own use.
    """

    kind: str
    name: str
    label: str
    place: Place
    parameters: tuple[Parameter, ...]
    output_names: tuple[str, ...]
    plots: tuple[Plot, ...]
    kernel: Callable[[Parameters, Market], Kernel]
    axis: Axis = "price"
    levels: tuple[float, ...] = ()
    fixed_range: tuple[float, float] | None = None
    scales: bool = True

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


def period(default: int, *, name: str = "period", label: str = "Length", minimum: int = 2) -> Parameter:
    """A number of bars."""
    return Parameter(name, label, "int", default, minimum, 5000, 1)


def factor(name: str, label: str, default: float, maximum: float, step: float) -> Parameter:
    return Parameter(name, label, "float", default, step, maximum, step)


def source(default: str = "close") -> Parameter:
    return Parameter("source", "Source", "source", default, choices=SOURCES)


def anchor(default: str = "session") -> Parameter:
    return Parameter("anchor", "Anchor", "anchor", default, choices=ANCHORS)


def line(name: str, label: str, output: int = 0, colour: ColourRole = "first") -> Plot:
    return Plot(name, label, "line", colour, (output,))
