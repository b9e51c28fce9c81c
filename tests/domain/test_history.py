"""Undo and redo: the newest step first, a hundred of them, each ticker for itself."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.history import MOST_STEPS, History, Step


@dataclass
class Cell:
    """A value that is changed through a history."""

    history: History
    scope: str = ""
    value: int = 0

    def put(self, value: int) -> None:
        before = self.value

        def back() -> None:
            self.value = before

        def again() -> None:
            self.value = value

        self.value = value
        self.history.add(Step(f"put {value}", back, again, self.scope))


@given(st.lists(st.sampled_from(["put", "undo", "redo"]), max_size=60))
def test_a_history_is_a_list_with_a_place_in_it(moves: list[str]) -> None:
    history = History()
    cell = Cell(history, "A")
    values, place = [0], 0
    for number, move in enumerate(moves, 1):
        if move == "put":
            cell.put(number)
            values, place = [*values[: place + 1], number], place + 1
        elif move == "undo":
            assert (history.undo("A") is None) == (place == 0)
            place = max(0, place - 1)
        else:
            assert (history.redo("A") is None) == (place == len(values) - 1)
            place = min(len(values) - 1, place + 1)
        assert cell.value == values[place]


def test_a_hundred_steps_are_kept() -> None:
    history = History()
    cell = Cell(history)
    for value in range(1, 151):
        cell.put(value)
    undone = 0
    while history.undo(""):
        undone += 1
    assert (undone, cell.value) == (MOST_STEPS, 50) == (100, 50)


def test_a_step_of_another_ticker_is_passed_over() -> None:
    history = History()
    one, other, everywhere = Cell(history, "A"), Cell(history, "B"), Cell(history)
    one.put(1)
    everywhere.put(2)
    other.put(3)
    assert [step.text for step in (history.undo("A"), history.undo("A")) if step] == ["put 2", "put 1"]
    assert (one.value, everywhere.value, other.value) == (0, 0, 3)
    assert history.undo("A") is None
    other.put(4)  # has no say over what A may redo, but over what belongs to everybody
    assert history.redo("A") is not None
    assert history.redo("A") is None
    assert (one.value, everywhere.value, other.value) == (1, 0, 4)
