"""The sheet of shortcuts: every key of the table of actions and every gesture, by place; what is typed narrows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QWidget

from desktop.ui import fuzzy
from desktop.ui.action_set import ActionSet
from desktop.ui.actions import ACTIONS, Context
from desktop.ui.dialogs import close_button, framed, plain_label
from desktop.ui.theme import Tokens

_SCROLL_BAR_PX: Final = 24
_HEIGHT_PX: Final = 640
_Row = tuple[tuple[str, ...], str]
_PLACES: Final[tuple[tuple[Context, str], ...]] = (
    ("window", "Everywhere"),
    ("chart", "On the chart"),
    ("drawing", "On a selected drawing"),
    ("list", "In the watchlist"),
)
_TYPED: Final[tuple[_Row, ...]] = (
    (("A … Z",), "Search, starting with that letter"),
    (("0 … 9",), "Another timeframe: 15, 4h, 1D"),
)
_SEARCH: Final[tuple[_Row, ...]] = (
    (("↑", "↓"), "Choose"),
    (("Enter",), "Open"),
    (("Ctrl+Enter",), "Open in a new tab"),
    (("Shift+Enter",), "Add to the watchlist"),
)
GESTURES: Final[tuple[_Row, ...]] = (
    (("Wheel",), "Zoom at the pointer"),
    (("Shift+Wheel",), "Scroll in time"),
    (("Drag",), "Move the chart, stretch an axis"),
    (("Middle drag",), "Move the chart freely"),
    (("Shift+Drag",), "Measure"),
    (("Ctrl",), "Crosshair at the bar's prices while held"),
    (("Drag a symbol",), "Show it in the chart it is dropped on"),
    (("Drag a border",), "Height of the panes; double-click: usual"),
    (("Double-click",), "Chart alone; on an axis: automatic"),
    (("Right-click",), "Menu of the place"),
)


@dataclass(slots=True)
class _Shown:
    """A heading and its rows, to be shown or hidden."""

    heading: QWidget
    rows: list[tuple[str, list[QWidget]]] = field(default_factory=list)


class ShortcutSheet(QDialog):
    """Everything that somebody does; deletes itself when it closes."""

    def __init__(self, actions: ActionSet, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search shortcuts")
        self.search.setAccessibleName("Search shortcuts")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._narrow)
        self._groups: list[_Shown] = []
        self._nothing = plain_label("Nothing fits.", "quiet")
        self._nothing.hide()
        place = {title: _rows_of(context, actions) for context, title in _PLACES}
        place["On the chart"] = [*_TYPED, *place["On the chart"]]
        columns = QHBoxLayout()
        columns.setSpacing(40)
        columns.setContentsMargins(0, 0, 12, 0)
        columns.addLayout(self._column({"Everywhere": place.pop("Everywhere"), "With the mouse": list(GESTURES)}), 1)
        columns.addLayout(self._column({**place, "In the search": list(_SEARCH)}), 1)
        sheet = QWidget()
        sheet.setObjectName("sheet")
        sheet.setLayout(columns)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(sheet)
        layout = framed(self, tokens)
        layout.addWidget(self.search)
        layout.addSpacing(8)
        layout.addWidget(self._nothing)
        layout.addWidget(scroll, 1)
        layout.addSpacing(8)
        layout.addWidget(close_button(self))
        self._sheet, self._scroll = sheet, scroll
        self.search.setFocus()

    @property
    def shown(self) -> tuple[str, ...]:
        """What the rows that are not hidden say."""
        return tuple(text for group in self._groups for text, widgets in group.rows if not widgets[0].isHidden())

    def showEvent(self, event: QShowEvent) -> None:
        """Wide enough for every row, now that the style's padding is known."""
        super().showEvent(event)
        for label in self._sheet.findChildren(QLabel):
            label.ensurePolished()
            label.updateGeometry()
        columns = self._sheet.layout()
        assert columns is not None
        columns.activate()
        self._scroll.setMinimumWidth(columns.sizeHint().width() + _SCROLL_BAR_PX)
        self.resize(self.sizeHint().width(), _HEIGHT_PX)

    def _narrow(self, text: str) -> None:
        found = False
        for group in self._groups:
            in_group = False
            for words, widgets in group.rows:
                fits = fuzzy.score(text, words) >= fuzzy.GOOD
                in_group |= fits
                for widget in widgets:
                    widget.setVisible(fits)
            group.heading.setVisible(in_group)
            found |= in_group
        self._nothing.setVisible(not found)

    def _column(self, groups: dict[str, list[_Row]]) -> QGridLayout:
        """Groups below each other, their keys and meanings in line."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(6)
        for title, rows in groups.items():
            if not rows:
                continue
            heading = plain_label(title, "heading")
            heading.setContentsMargins(0, 14 if grid.count() else 0, 0, 0)
            shown = _Shown(heading)
            grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
            for keys, meaning in rows:
                row = grid.rowCount()
                caps, label = _caps(keys), plain_label(meaning)
                grid.addWidget(caps, row, 0)
                grid.addWidget(label, row, 1)
                shown.rows.append((f"{meaning} {' '.join(keys)}", [caps, label]))
            self._groups.append(shown)
        grid.setRowStretch(grid.rowCount(), 1)
        grid.setColumnStretch(1, 1)
        return grid


def _rows_of(context: Context, actions: ActionSet) -> list[_Row]:
    """The actions with keys that somebody does; a list does its own."""
    known = actions.bound
    specs = (spec for spec in ACTIONS if spec.context == context and spec.keys)
    return [(_told_apart(spec.keys), spec.name) for spec in specs if spec.id in known or context == "list"]


def _told_apart(keys: Iterable[str]) -> tuple[str, ...]:
    """Native texts, without those that read alike: Return and Enter."""
    return tuple(dict.fromkeys(_native(key.replace("Return", "Enter")) for key in keys if key != "="))


def _caps(keys: tuple[str, ...]) -> QWidget:
    caps = QWidget()
    row = QHBoxLayout(caps)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for key in keys:
        row.addWidget(plain_label(key, "key"))
    row.addStretch(1)
    return caps


def _native(keys: str) -> str:
    """The keys as this system writes them."""
    arrows = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "-": "−"}
    text = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) or keys
    head, plus, last = text.rpartition("+") if len(text) > 1 else ("", "", text)
    return f"{head}{plus}{arrows.get(last, last)}"
