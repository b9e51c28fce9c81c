"""A study as a person set it up: its kind, parameters and colours. Plain data that can be saved."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from desktop.domain.errors import BadInput
from desktop.domain.studies.entry import Parameter, Parameters, Plot, StudyEntry, Value
from desktop.domain.studies.registry import entry_of


@dataclass(frozen=True, slots=True)
class Study:
    """`params` holds every parameter of the kind, in the registry's order; `colours` (plot name, "#rrggbb") pairs.

    Make one with `Study.of` or `Study.from_dict`, which check.
    """

    kind: str
    params: tuple[tuple[str, Value], ...]
    colours: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, kind: str, **values: object) -> Study:
        """A study with the defaults of its kind but for `values`. Raises BadInput."""
        entry = entry_of(kind)
        unknown = values.keys() - {parameter.name for parameter in entry.parameters}
        if unknown:
            raise BadInput(f"{entry.name} has no setting “{min(unknown)}”.")
        return cls(
            kind,
            tuple(
                (parameter.name, _checked(entry, parameter, values.get(parameter.name, parameter.default)))
                for parameter in entry.parameters
            ),
        )

    @classmethod
    def from_dict(cls, saved: object) -> Study:
        """From what `to_dict` gave, or a person edited: absent parameters get their default. Raises BadInput."""
        if not isinstance(saved, Mapping) or not isinstance(saved.get("kind"), str):
            raise BadInput("A saved study does not say which study it is.")
        params, colours = saved.get("params", {}), saved.get("colours", {})
        if not isinstance(params, Mapping) or not isinstance(colours, Mapping):
            raise BadInput(f"The saved study “{saved['kind']}” cannot be read.")
        study = cls.of(saved["kind"], **{str(name): value for name, value in params.items()})
        return study.with_colours({str(plot): str(colour) for plot, colour in colours.items()})

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        saved: dict[str, Any] = {"kind": self.kind, "params": dict(self.params)}
        if self.colours:
            saved["colours"] = dict(self.colours)
        return saved

    def with_params(self, **values: object) -> Study:
        """The same study with other parameters. Raises BadInput."""
        return replace(Study.of(self.kind, **{**dict(self.params), **values}), colours=self.colours)

    def with_colours(self, colours: Mapping[str, str]) -> Study:
        """The same study in other colours, by plot name. Raises BadInput."""
        plots = {plot.name for plot in self.entry.plots}
        for plot, colour in colours.items():
            if plot not in plots:
                raise BadInput(f"{self.entry.name} draws nothing called “{plot}”.")
            if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) is None:
                raise BadInput(f"“{colour}” is not a colour.", next_step="Write it like #26A69A.")
        return replace(self, colours=tuple(sorted(colours.items())))

    @property
    def entry(self) -> StudyEntry:
        return entry_of(self.kind)

    @property
    def parameters(self) -> Parameters:
        return Parameters(dict(self.params))

    @property
    def label(self) -> str:
        """As the legend shows it: `EMA 50`, `MACD 12 26 9`, `SMA 20 hl2`."""
        shown = (value for name, value in self.params if not (name == "source" and value == "close"))
        return " ".join(
            [self.entry.label, *(f"{value:g}" if isinstance(value, float) else str(value) for value in shown)]
        )

    def shift_of(self, plot: Plot) -> int:
        """By how many slots of the time axis `plot` lies to the right of the bars its values belong to."""
        return plot.shift_sign * (self.parameters.whole(plot.shift) - 1) if plot.shift else 0


def _checked(entry: StudyEntry, parameter: Parameter, value: object) -> Value:
    where = f"{parameter.label} of {entry.name}"
    if parameter.kind not in ("int", "float"):
        if not isinstance(value, str) or value not in parameter.choices:
            raise BadInput(f"{where} cannot be “{value}”.", next_step=f"Choose one of {', '.join(parameter.choices)}.")
        return value
    limits = f"between {parameter.minimum:g} and {parameter.maximum:g}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{where} must be a number.", next_step=f"Take one {limits}.")
    if not parameter.minimum <= value <= parameter.maximum:
        raise BadInput(f"{where} cannot be {value:g}.", next_step=f"Take a number {limits}.")
    if parameter.kind == "float":
        return float(value)
    if value != int(value):
        raise BadInput(f"{where} must be a whole number.", next_step=f"Take one {limits}.")
    return int(value)
