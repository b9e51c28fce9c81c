"""The application's HTTP client: verified TLS, no redirects, the system's proxies except on this machine."""

from __future__ import annotations

import ipaddress
import ssl
from urllib.parse import SplitResult, urlsplit

import httpx

from desktop import __version__


def is_loopback(parts: SplitResult) -> bool:
    """Whether the address is this machine's own."""
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_client(base: str, *, connect_timeout_s: float, read_timeout_s: float) -> httpx.AsyncClient:
    """A client for one base address; the caller closes it."""
    parts = urlsplit(base)
    is_local = is_loopback(parts)
    # Loading the system's certificates takes 20 ms; plain http on this machine has no use for them.
    verify: ssl.SSLContext | bool = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if parts.scheme == "http" else True
    return httpx.AsyncClient(
        base_url=base,
        verify=verify,
        trust_env=not is_local,
        follow_redirects=False,
        timeout=httpx.Timeout(read_timeout_s, connect=connect_timeout_s),
        limits=httpx.Limits(max_connections=10, max_keepalive_connections=10, keepalive_expiry=60),
        headers={"User-Agent": f"candelabra/{__version__}", "Accept": "application/json"},
    )
