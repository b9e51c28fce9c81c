"""Base addresses a person may enter: REST hosts and sockets, encrypted unless they are on this machine."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from desktop.domain.errors import BadInput

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
REST_SCHEMES: Final = ("http", "https")
SOCKET_SCHEMES: Final = ("ws", "wss")


def delayed_base(socket_base: str) -> str:
    """The vendor's host of delayed data that belongs to a host of real-time data."""
    return socket_base.replace("://socket.", "://delayed.", 1)


def real_time_base(socket_base: str) -> str:
    """The other way round; any other host stays as it is."""
    return socket_base.replace("://delayed.", "://socket.", 1)


def checked_base(text: str, *, schemes: tuple[str, str]) -> str:
    """A usable base address, `scheme://host[:port]`, without trailing slash.

    schemes: the plain and the encrypted one. Raises BadInput for anything else, also for a plain scheme to
    another machine; the sentence holds no more of the text than scheme and host, for a secret may stand in the rest.
    """
    plain, encrypted = schemes
    next_step = f"It looks like {encrypted}://host."
    try:
        parts = urlsplit(text.strip().rstrip("/"))
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput("This is not an address.", next_step=next_step) from error
    if parts.scheme not in schemes or not host or any(mark.isspace() for mark in parts.netloc):
        raise BadInput("This is not an address.", next_step=next_step)
    if "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        raise BadInput(f"The address of “{host}” must end after host and port.", next_step=next_step)
    if parts.scheme == plain and host not in LOOPBACK_HOSTS:
        raise BadInput(
            f"“{plain}://{host}” is not encrypted.", next_step=f"Use {encrypted}:// so that the key stays secret."
        )
    return f"{parts.scheme}://{parts.netloc}"
