"""Which part of time and price a chart shows, and how every gesture changes it. Pure numbers, logical pixels."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.ui.chart.geometry import DEFAULT_SPACING, MAX_SPACING, right_margin

_LEAST_SLOTS = 2.0  # always in view
_LEAST_STRETCH = 0.1


@dataclass(slots=True)
class Viewport:
    """`right` is the slot (a fraction) at the plot's right edge; (bottom, top) the range, in the scale's units."""

    width: float = 100.0  # of the plot, logical pixels
    height: float = 100.0
    outer_width: float = 0.0  # of the plot and the price axis
    spacing: float = DEFAULT_SPACING  # logical pixels a slot
    right: float = right_margin(100.0)
    bottom: float = 0.0
    top: float = 1.0
    is_autoscaled: bool = True
    is_inverted: bool = False
    first_slot: int = 0  # of the series
    last_slot: int = -1

    # --- what is seen --------------------------------------------------------------------------------------

    @property
    def left(self) -> float:
        """The slot (a fraction) at the plot's left edge."""
        return self.right - self.width / self.spacing

    @property
    def is_last_in_view(self) -> bool:
        """Whether the middle of the last bar is on the screen."""
        return self.left <= self.last_slot + 0.5 <= self.right

    @property
    def margin(self) -> float:
        """Empty slots that belong right of the last bar."""
        return right_margin(self.width)

    @property
    def least_spacing(self) -> float:
        """The spacing at which the whole series fits; never above the default."""
        count = max(1, self.last_slot - self.first_slot + 1)
        return min(DEFAULT_SPACING, self.width / (count + self.margin))

    def x_of(self, slot: float) -> float:
        """Logical x of a slot's left edge."""
        return self.width - (self.right - slot) * self.spacing

    def slot_at(self, x: float) -> float:
        """The slot (a fraction) under a logical x."""
        return self.right - (self.width - x) / self.spacing

    # --- the series changed --------------------------------------------------------------------------------

    def resize(self, width: float, height: float, outer_width: float) -> None:
        """The plot got another size: the last bar stays at the margin, if it was there.

        Else the right edge stays where it is; when only the axis beside it grew or shrank, the picture does.
        """
        is_at_margin = self.right == self.last_slot + 1 + self.margin
        if outer_width == self.outer_width:
            self.right += (width - self.width) / self.spacing
        self.outer_width = outer_width
        self.width, self.height = max(1.0, width), max(1.0, height)
        self.spacing = self._allowed(self.spacing)
        if is_at_margin:
            self.show_latest()

    def follow(self, first_slot: int, last_slot: int) -> int:
        """The series now spans these slots: moves along when its last bar was in view.

        Answers how many new bars are out of view; 0 when it moved along.
        """
        grown = last_slot - self.last_slot
        was_in_view = self.is_last_in_view
        self.first_slot, self.last_slot = first_slot, last_slot
        if was_in_view:
            self.right += grown
            return 0
        return max(0, grown)

    def show_latest(self) -> None:
        """The last bar at the right margin."""
        self.right = self.last_slot + 1 + self.margin

    def show_first(self) -> None:
        """The first bar at the left edge."""
        self.right = self.first_slot + self.width / self.spacing
        self._hold()

    def show_middle(self, slot: int) -> None:
        """A slot in the middle."""
        self.right = slot + 0.5 + self.width / self.spacing / 2
        self._hold()

    # --- time ----------------------------------------------------------------------------------------------

    def zoom(self, notches: float, x: float) -> None:
        """Wheel: each notch changes the spacing by a tenth; the time under `x` stays under it."""
        direction = max(-1.0, min(1.0, notches))
        self.set_spacing(self.spacing + direction * self.spacing / 10.0, x)

    def set_spacing(self, spacing: float, x: float) -> None:
        """Another spacing within its limits; the time under `x` stays under it."""
        slot = self.slot_at(x)
        self.spacing = self._allowed(spacing)
        self.right = slot + (self.width - x) / self.spacing
        self._hold()

    def pan(self, dx: float) -> None:
        """Moves the picture right by `dx` logical pixels."""
        self.right -= dx / self.spacing
        self._hold()

    # --- price ---------------------------------------------------------------------------------------------

    def pan_price(self, dy: float) -> None:
        """Moves the picture down by `dy` logical pixels; does nothing while autoscale is on."""
        if self.is_autoscaled:
            return
        shift = dy / self.height * (self.top - self.bottom) * (-1 if self.is_inverted else 1)
        self.bottom, self.top = self.bottom + shift, self.top + shift

    def stretch_price(self, factor: float, of: tuple[float, float] | None = None) -> None:
        """Scales the range `of` (the present one by default) about its middle; autoscale goes off."""
        bottom, top = of or (self.bottom, self.top)
        middle, half = (bottom + top) / 2, (top - bottom) / 2 * factor
        smallest = max(abs(middle) * 1e-12, 1e-300)
        if half < smallest or half > 1e15:
            return
        self.bottom, self.top = middle - half, middle + half
        self.is_autoscaled = False

    def drag_factor(self, start_y: float, y: float) -> float:
        """How far dragging the price axis from one logical y to another scales the price range."""
        fixed = 0.2 * (self.height - 1)
        start, now = self.height - start_y, max(0.0, self.height - y)
        return max(_LEAST_STRETCH, (start + fixed) / (now + fixed))

    def _allowed(self, spacing: float) -> float:
        most = min(MAX_SPACING, self.width / _LEAST_SLOTS)
        return max(min(spacing, most), min(self.least_spacing, most))

    def _hold(self) -> None:
        """At least two bars stay in view at either end."""
        if self.last_slot < self.first_slot:
            return
        count = min(_LEAST_SLOTS, self.last_slot - self.first_slot + 1)
        self.right = max(self.right, self.first_slot + count)
        self.right = min(self.right, self.last_slot + 1 - count + self.width / self.spacing)
