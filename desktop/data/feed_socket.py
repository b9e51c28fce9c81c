"""Opening and closing one socket so that the key can neither be logged nor sent elsewhere, and nothing can hang."""

from __future__ import annotations

import asyncio
import logging
import ssl
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from desktop.data.feed_failures import LOOPBACK_HOSTS
from desktop.data.feed_recording import RecordedConnection, open_recorded
from desktop.data.feed_state import FeedOptions
from desktop.data.recorder import Recorder

_READ_BYTES = 32 * 1024  # from the network at a time, where asyncio lets us choose


class SocketOpener:
    """Opens connections to one address; keeps the TLS context, which takes tens of ms to make."""

    def __init__(self, base: str, cluster: str, options: FeedOptions, recorder: Recorder | None = None) -> None:
        self._url = f"{base}/{cluster}"
        self._cluster = cluster
        self._options = options
        self._recorder = recorder
        self._tls: ssl.SSLContext | None = None

    async def open(self) -> ClientConnection:
        """Connects, without a time limit of its own. Raises one of CONNECT_ERRORS."""
        options = self._options
        parts = urlsplit(self._url)
        is_local, is_secure = parts.hostname in LOOPBACK_HOSTS, parts.scheme == "wss"
        if is_secure and self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        connecting = _ConnectHere(
            self._url,
            logger=_quiet_logger(),
            compression=None if is_local else "deflate",
            proxy=None if is_local else True,
            open_timeout=None,  # the feed's covers the authentication too
            ping_interval=None,  # Keepalive accepts data as a sign of life
            close_timeout=options.close_timeout_s,
            max_size=options.max_frame_bytes,
            max_queue=(options.queued_frames, options.queued_frames // 4),
            ssl=self._tls if is_secure else None,
            create_connection=None if self._recorder is None else RecordedConnection,
        )
        if self._recorder is None:
            connection = await connecting
        else:
            connection = await open_recorded(connecting, self._recorder.connection(self._cluster))
        # Else a flood's 256 KiB are parsed in one go: up to 60 ms without a turn for anybody else (benchmarks/feed.py).
        connection.transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        return connection

    async def close(self, connection: ClientConnection) -> None:
        """Says goodbye where that takes no time, and is gone in any case."""
        if isinstance(connection, RecordedConnection):
            connection.leave()
        try:
            async with asyncio.timeout(self._options.close_timeout_s):
                await connection.close()
        except (TimeoutError, ConnectionClosed):
            return  # the peer does not answer: nothing is left to say
        finally:
            connection.transport.abort()


class _ConnectHere(connect):
    """Follows no redirect: the key goes to the configured host and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _quiet_logger() -> logging.Logger:
    """The library writes every frame to its logger at DEBUG, the one with the key included: it never gets there."""
    logger = logging.getLogger("websockets.client")
    if logger.level < logging.INFO:  # NOTSET too, which would inherit
        logger.setLevel(logging.INFO)
    return logger
