"""Keeps secrets out of every text that leaves the process: logs, crash reports, diagnostics, error dialogs."""

from __future__ import annotations

import base64
import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "[key]"
_SHORTEST_SECRET = 8
# Places where a key stands by its nature, known or not: query, header, auth message.
_PLACES = re.compile(
    r"(?i)(api_?key=)[^&\s\"'<>]+"
    r"|(\bbearer\s+)[A-Za-z0-9._~+/=-]+"
    r"|(\\?\"action\\?\"\s*:\s*\\?\"auth\\?\"\s*,\s*\\?\"params\\?\"\s*:\s*\\?\")[^\"\\]*"
)


class Redactor:
    """Replaces the secrets it knows, in all the forms they travel in. Safe to use from any thread."""

    def __init__(self, *secrets: str) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Never lets this text out from now on; texts too short to be a secret are ignored."""
        if len(secret) < _SHORTEST_SECRET:
            return
        self._forms |= forms_of(secret)
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._forms, key=len, reverse=True))))

    def redact(self, text: str) -> str:
        """The text with every secret masked."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return _PLACES.sub(_keep_lead, text)


def _keep_lead(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None) + MASK


def forms_of(secret: str) -> frozenset[str]:
    """As it is, URL-quoted, in JSON, in hex, and in base64 wherever it may lie in a longer text."""
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms |= {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    content = secret.encode()
    forms |= {content.hex(), content.hex().upper()}
    for lead in range(3):
        first = -(-lead * 8 // 6)  # characters that mix with the bytes before
        last = (lead + len(content)) * 8 // 6  # those after mix with what follows
        padded = bytes(lead) + content + bytes(-(lead + len(content)) % 3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(padded).decode()[first:last])
    return frozenset(forms)
