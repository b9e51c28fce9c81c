"""What leaves the window: pictures of it, and the bars of its chart as files and as a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QProgressDialog, QWidget

from desktop.domain.errors import BadInput
from desktop.domain.timeframe import Timeframe
from desktop.ui.action_set import ActionSet
from desktop.ui.bar_table import BarTableDialog
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.image_dialog import ImageDialog, PictureChoice
from desktop.ui.picture import picture_of, png_of, svg_of
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens

_FILTERS: Final = {"png": "PNG picture (*.png)", "svg": "SVG drawing (*.svg)", "csv": "CSV file (*.csv)"}
_PROGRESS_AFTER_MS: Final = 500


def file_name(ticker: str, timeframe: Timeframe, world_label: str, suffix: str) -> str:
    """`X_BTCUSD-15m-DEMO.png`: a name every file system takes, which says when the data are not the vendor's."""
    parts = (re.sub(r"[^\w.\-]", "_", ticker), str(timeframe), world_label)
    return "-".join(part for part in parts if part) + f".{suffix}"


class ExportActions(QObject):
    """Binds the actions that save and copy; works on the chart that `chart()` gives."""

    def __init__(
        self,
        services: WindowServices,
        actions: ActionSet,
        chart: Callable[[], ChartWidget],
        tokens: Tokens,
        window: QWidget,
        *,
        world_label: str,
    ) -> None:
        super().__init__(window)
        self._services = services
        self._chart = chart
        self._tokens = tokens
        self._window = window
        self._world_label = world_label
        self._choice = PictureChoice()
        self._progress: QProgressDialog | None = None
        actions.bind("image.save", self._ask_image)
        actions.bind("image.copy", lambda: self._copy(PictureChoice("chart", None)))
        actions.bind("csv.save", self._save_visible, is_possible=self._has_bars)
        actions.bind("csv.save_all", self._save_all, is_possible=self._has_bars)
        actions.bind("table.show", self._show_table, is_possible=self._has_bars)
        services.exports.changed.connect(self._follow)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens
        for table in self._window.findChildren(BarTableDialog):
            table.set_tokens(tokens)
        for question in self._window.findChildren(ImageDialog):
            question.set_tokens(tokens)

    def _has_bars(self) -> bool:
        return self._chart().model.last is not None

    # --- pictures ------------------------------------------------------------------------------------------

    def _ask_image(self) -> None:
        chart, window = self._chart().size(), self._window.size()
        dialog = ImageDialog(chart, window, self._choice, self._tokens, self._window)
        dialog.save_wanted.connect(self._save)
        dialog.copy_wanted.connect(self._copy)
        dialog.open()

    def _save(self, choice: PictureChoice) -> None:
        """Takes the picture now, and asks where it goes."""
        self._choice = choice
        suffix = "svg" if choice.scale is None else "png"
        make = self._taken(choice)
        if make is not None:
            self._ask_where(suffix, lambda path: self._services.exports.save_bytes(make, path))

    def _taken(self, choice: PictureChoice) -> Callable[[], bytes] | None:
        """What makes the file of a picture taken now; None when it cannot be taken, which was said."""
        if choice.scale is None:
            drawing = svg_of(self._chart())
            return lambda: drawing
        try:
            image = picture_of(self._chart() if choice.what == "chart" else self._window, choice.scale)
        except BadInput as error:
            self._services.notices.post(str(error), "warning", key="picture")
            return None
        return lambda: png_of(image)

    def _copy(self, choice: PictureChoice) -> None:
        """To the clipboard; without a scale as the screen shows it."""
        widget = self._chart() if choice.what == "chart" else self._window
        try:
            image = picture_of(widget, choice.scale or widget.devicePixelRatioF())
        except BadInput as error:
            self._services.notices.post(str(error), "warning", key="picture")
            return
        if choice.scale is not None:
            self._choice = choice
        QGuiApplication.clipboard().setImage(image)
        self._services.notices.post("The picture was copied.", key="copied")

    # --- bars ----------------------------------------------------------------------------------------------

    def _save_visible(self) -> None:
        visible = self._chart().model.visible_range
        if visible is not None:
            self._save_bars(*visible)

    def _save_all(self) -> None:
        starts = self._chart().model.bars.start_ms
        self._save_bars(int(starts[0]), int(starts[-1]) + 1)

    def _save_bars(self, from_ms: int, to_ms: int) -> None:
        series, exports = self._chart().model.source.series, self._services.exports
        self._ask_where("csv", lambda path: exports.save_bars(series, from_ms, to_ms, path))

    def _ask_where(self, suffix: str, save: Callable[[Path], None]) -> None:
        source = self._chart().model.source
        name = file_name(source.ticker, source.timeframe, self._world_label, suffix)
        dialog = QFileDialog(self._window, "Save as", name, _FILTERS[suffix])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: save(Path(path)))
        dialog.open()

    def _show_table(self) -> None:
        chart = self._chart()
        row = chart.model.nearest_index(chart.keys.focused_slot)
        dialog = BarTableDialog(chart.model.source, row or 0, self._tokens, self._window)
        dialog.show()

    # --- progress ------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        progress = self._services.exports.progress
        if progress is None:
            if self._progress is not None:
                self._progress.deleteLater()
                self._progress = None
            return
        if self._progress is None:
            dialog = self._progress = QProgressDialog(self._window)
            dialog.setWindowTitle("Save as")
            dialog.setAutoClose(False)
            dialog.setAutoReset(False)
            dialog.setMinimumDuration(_PROGRESS_AFTER_MS)
            dialog.canceled.connect(self._services.exports.cancel)
        self._progress.setLabelText(f"{progress.name}: {progress.done:,} of {progress.total:,} bars")
        self._progress.setMaximum(progress.total)
        self._progress.setValue(progress.done)
