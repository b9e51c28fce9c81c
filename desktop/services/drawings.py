"""The drawings of every ticker: what is on them, saved at every change, and the way back."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.data.user_store import UserStore
from desktop.domain.drawing_json import MOST_DRAWINGS, dump, load
from desktop.domain.drawings import Drawing
from desktop.domain.errors import BadInput, CacheError
from desktop.domain.history import History, Step
from desktop.services.notices import Notices
from desktop.services.saving import Saver
from desktop.services.tasks import Tasks

_MOST_BYTES = 16 << 20


class Drawings(QObject):
    """Drawings by ticker, in painting order. Every change becomes a step of the history."""

    changed = Signal(str)  # the ticker

    def __init__(
        self, store: UserStore, notices: Notices, history: History | None = None, parent: QObject | None = None
    ) -> None:
        """history: shared with whatever else is undone by the same keys."""
        super().__init__(parent)
        self._store = store
        self._notices = notices
        self.history = history or History()
        self._held: dict[str, tuple[Drawing, ...]] = {}
        self._unsaved: set[str] = set()
        self._saver = Saver(self._save, name="save drawings")
        self._tasks = Tasks()

    async def load(self) -> None:
        """Reads everything that was saved."""
        self._held = await self._store.drawings()

    def of(self, ticker: str) -> tuple[Drawing, ...]:
        """The drawings of a ticker, the topmost last."""
        return self._held.get(ticker, ())

    def add(self, ticker: str, drawing: Drawing) -> None:
        """Puts one on top."""
        if len(self.of(ticker)) >= MOST_DRAWINGS:
            self._notices.post(f"There are {MOST_DRAWINGS:,} drawings on {ticker}; remove some first.", "warning")
            return
        self._change(ticker, (*self.of(ticker), drawing), f"Draw {drawing.kind.name_text.lower()}")

    def replace(self, ticker: str, drawing: Drawing) -> None:
        """Another state of the drawing with this id; nothing happens when there is none."""
        after = tuple(drawing if held.id == drawing.id else held for held in self.of(ticker))
        self._change(ticker, after, f"Change {drawing.kind.name_text.lower()}")

    def remove(self, ticker: str, drawing_id: str) -> None:
        """Takes one away."""
        after = tuple(held for held in self.of(ticker) if held.id != drawing_id)
        self._change(ticker, after, "Remove drawing")

    def clear(self, ticker: str) -> None:
        """Takes all of a ticker away."""
        self._change(ticker, (), "Remove all drawings")

    def exported(self, ticker: str) -> str:
        """All of a ticker as JSON."""
        return dump(self.of(ticker), ticker)

    def import_text(self, ticker: str, text: str) -> int:
        """Adds the drawings of a JSON text to a ticker and answers how many. Raises BadInput, then nothing changed.

        One that is there already under the same id comes in as a copy.
        """
        drawings = load(text)
        held = {drawing.id for drawing in self.of(ticker)}
        new = [drawing.clone() if drawing.id in held else drawing for drawing in drawings]
        if len(held) + len(new) > MOST_DRAWINGS:
            raise BadInput(f"A ticker has at most {MOST_DRAWINGS:,} drawings.", next_step="Remove some first.")
        self._change(ticker, (*self.of(ticker), *new), "Import drawings")
        return len(new)

    def import_file(self, ticker: str, path: Path) -> None:
        """The same from a file, in the background; a notice says what came of it."""
        self._tasks.start(self._import_file(ticker, path), replace="import", name="import drawings")

    async def _import_file(self, ticker: str, path: Path) -> None:
        try:
            count = self.import_text(ticker, await asyncio.to_thread(_read, path))
        except BadInput as error:
            self._notices.post(str(error), "warning", key="drawings imported")
            return
        plural = "" if count == 1 else "s"
        self._notices.post(f"{count:,} drawing{plural} from {path.name} on {ticker}.", key="drawings imported")

    def undo(self, ticker: str) -> str | None:
        """Takes back the newest change seen from a ticker; answers what it was."""
        step = self.history.undo(ticker)
        return None if step is None else step.text

    def redo(self, ticker: str) -> str | None:
        """Does again what was undone last."""
        step = self.history.redo(ticker)
        return None if step is None else step.text

    async def aclose(self) -> None:
        """Writes what is not written yet and stops."""
        await self._tasks.aclose()
        await self._saver.aclose()

    def _change(self, ticker: str, after: tuple[Drawing, ...], text: str) -> None:
        before = self.of(ticker)
        if after == before:
            return
        self._set(ticker, after)
        self.history.add(Step(text, partial(self._set, ticker, before), partial(self._set, ticker, after), ticker))

    def _set(self, ticker: str, drawings: tuple[Drawing, ...]) -> None:
        self._held[ticker] = drawings
        self._unsaved.add(ticker)
        self._saver.mark()
        self.changed.emit(ticker)

    async def _save(self) -> None:
        tickers, self._unsaved = self._unsaved, set()
        for ticker in sorted(tickers):
            try:
                await self._store.put_drawings(ticker, self.of(ticker))
            except CacheError as error:
                self._unsaved.add(ticker)  # with the next change
                self._notices.post(f"The drawings were not saved. {error}", "warning", key="drawings not saved")


def _read(path: Path) -> str:
    """The text of a file. Raises BadInput."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read.", next_step="Check its permissions.") from error
    if len(content) > _MOST_BYTES:
        raise BadInput(f"{path.name} is too large for a file with drawings.")
    return content.decode("utf-8", "replace")
