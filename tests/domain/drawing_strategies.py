"""Drawings of every kind, as hypothesis makes them."""

from __future__ import annotations

from hypothesis import strategies as st

from desktop.domain.drawings import WIDTHS, Anchor, Dash, Drawing, Kind, Role, Style

times = st.integers(-2_000_000_000_000, 4_000_000_000_000)
prices = st.floats(-1e9, 1e9, allow_nan=False)
anchors = st.builds(Anchor, times, prices)
colours = st.one_of(
    st.sampled_from([role.value for role in Role]), st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")
)
styles = st.builds(Style, colours, st.sampled_from(WIDTHS), st.sampled_from(Dash))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@st.composite
def drawings(draw: st.DrawFn, kinds: st.SearchStrategy[Kind] | None = None) -> Drawing:
    """A drawing with anchors anywhere."""
    kind = draw(kinds or st.sampled_from(Kind))
    places = draw(st.lists(anchors, min_size=kind.anchor_count, max_size=kind.anchor_count))
    return Drawing(kind, tuple(places), draw(styles), draw(texts), draw(st.booleans()), draw(st.booleans()))
