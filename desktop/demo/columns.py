"""Tables as columns: what bars, trades and quotes of a market have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Columns:
    """Arrays of equal length, one for each field of the dataclass; the first holds the rows' times, ascending."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        raise NotImplementedError

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One part after the other."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(*map(np.concatenate, zip(*(part.columns() for part in parts), strict=True)))

    def columns(self) -> list[np.ndarray[Any, Any]]:
        """The arrays in the order of the fields."""
        return [getattr(self, field.name) for field in fields(self)]

    def in_order(self) -> Self:
        """By time; rows of equal times keep their order."""
        columns = self.columns()
        order = np.argsort(columns[0], kind="stable")
        return type(self)(*(column[order] for column in columns))

    def take(self, begin: int, end: int) -> Self:
        """Rows `begin` to `end` (exclusive) as views."""
        return type(self)(*(column[begin:end] for column in self.columns()))

    def between(self, from_ms: int, to_ms: int) -> Self:
        """The rows with times in [from_ms, to_ms), as views."""
        columns = self.columns()
        begin, end = np.searchsorted(columns[0], [from_ms, to_ms])
        return type(self)(*(column[begin:end] for column in columns))
