"""What typed letters find, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.fuzzy import GOOD, score

BEST_FIRST = ("Go to date", "Let it go", "Cargo train", "Give orders", "Give the others")


def test_better_matches_score_higher() -> None:
    scores = [score("go", text) for text in BEST_FIRST]
    assert scores == sorted(scores, reverse=True)
    assert scores[:4] == [100, 80, 60, 50]
    assert scores[4] == 0


@pytest.mark.parametrize(
    ("query", "text", "fits"),
    [
        ("date go", "Go to date", True),
        ("GO TO", "go to date", True),
        ("fs", "Full screen", True),
        ("wtchlst", "Watchlist", True),
        ("go x", "Go to date", False),
        ("zz", "Go to date", False),
        ("", "anything", True),
    ],
)
def test_what_fits(query: str, text: str, fits: bool) -> None:
    assert bool(score(query, text)) is fits


def test_scattered_letters_are_no_good_match() -> None:
    assert 0 < score("wtchlst", "Watchlist") < GOOD <= score("fs", "Full screen")


@given(st.text(alphabet="abcdefghij klmno", min_size=1, max_size=20), st.data())
def test_any_part_of_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    assert score(text[begin:end], text) > 0
