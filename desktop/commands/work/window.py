"""What a second start asks of the window that is open on the same data folder."""

from __future__ import annotations

import msgspec

from desktop.assembly import Source
from desktop.domain.errors import BadInput
from desktop.domain.world import demo_world


class OpenRequest(msgspec.Struct):
    """What to open in the window; None: whatever it shows.

    demo_seed, rest_base: the source that was named, if any. activation_token: the desktop's leave to come to the front.
    """

    ticker: str | None = None
    timeframe: str | None = None
    demo_seed: int | None = None
    rest_base: str | None = None
    activation_token: str | None = None


def check_source(request: OpenRequest, source: Source) -> None:
    """Raises BadInput when the window shows another source than was asked for: it does not change by itself."""
    is_other = request.demo_seed is not None and source.world != demo_world(request.demo_seed)
    if is_other or (request.rest_base is not None and request.rest_base != source.rest_base):
        raise BadInput(
            f"Candelabra is open on this data folder with another source ({source.name}); its window is in front now.",
            next_step="Close it first, or choose another folder with --data-dir.",
        )
