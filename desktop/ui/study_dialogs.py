"""Choosing a study to add, and setting one up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.studies.entry import Parameter, StudyEntry
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.study import Study
from desktop.ui.chart.curves import colour_of
from desktop.ui.forms import field_label, form_style, label
from desktop.ui.theme import Tokens

_SWATCH_PX: Final = 14
_STEPPED: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class StudyPicker(QDialog):
    """A list of all studies to type into: `chosen(kind)`; stays open for more with Ctrl held."""

    chosen = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add study")
        self.setStyleSheet(form_style(tokens) + "QListView::item { padding: 5px 6px; }")
        self.resize(420, 460)
        column = QVBoxLayout(self)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Name of a study, such as rsi or average")
        self.field.setAccessibleName("Name of a study")
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        column.addWidget(self.field)
        self.list = QListWidget()
        self.list.setAccessibleName("Studies")
        self.list.itemActivated.connect(self._choose)
        column.addWidget(self.list, 1)
        column.addWidget(label("Enter adds the study; its settings are beside its name on the chart.", "quiet"))
        for entry in sorted(STUDIES, key=lambda entry: entry.name):
            place = "pane" if entry.place == "pane" else "on prices"
            item = QListWidgetItem(f"{entry.name}  ({entry.label}, {place})")
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        self._filter("")

    def start(self) -> None:
        """Opens with an empty field."""
        self.field.clear()
        self.open()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows in the field walk through the list, Enter adds."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _STEPPED:
                self.list.event(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                current = self.list.currentItem()
                if current is not None and not current.isHidden():
                    self._choose(current, stays=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        first: QListWidgetItem | None = None
        for row in range(self.list.count()):
            item = self.list.item(row)
            entry: StudyEntry = item.data(Qt.ItemDataRole.UserRole)
            known = f"{entry.name} {entry.label} {entry.kind}".lower()
            item.setHidden(not all(word in known for word in words))
            if first is None and not item.isHidden():
                first = item
        self.list.setCurrentRow(self.list.row(first) if first is not None else -1)

    def _choose(self, item: QListWidgetItem, *, stays: bool = False) -> None:
        entry: StudyEntry = item.data(Qt.ItemDataRole.UserRole)
        self.chosen.emit(entry.kind)
        if not stays:
            self.accept()


class StudySettings(QDialog):
    """Parameters and colours of one study; every change is shown at once, Cancel takes them back."""

    edited = Signal(Study)

    def __init__(self, study: Study, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(study.entry.name)
        self.setStyleSheet(form_style(tokens))
        self._before = self._study = study
        self._tokens = tokens
        column = QVBoxLayout(self)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        column.addLayout(form)
        for parameter in study.entry.parameters:
            field = self._field(parameter)
            field.setObjectName(parameter.name)
            form.addRow(field_label(parameter.label, field), field)
        for plot in study.entry.plots:
            if plot.colour == "trend":
                continue  # rising and falling have the colours of the chart
            button = QPushButton()
            button.setObjectName(f"colour {plot.name}")
            button.setAutoDefault(False)
            colour = dict(study.colours).get(plot.name, colour_of(plot.colour, tokens))
            self._show_colour(button, colour)
            button.clicked.connect(partial(self._ask_colour, plot.name, button))
            form.addRow(field_label(f"Colour: {plot.label}", button), button)
        choices = QDialogButtonBox.StandardButton
        foot = QDialogButtonBox(choices.Ok | choices.Cancel | choices.RestoreDefaults)
        foot.accepted.connect(self.accept)
        foot.rejected.connect(self.reject)
        foot.button(choices.RestoreDefaults).clicked.connect(self._restore_defaults)
        column.addWidget(foot)

    def reject(self) -> None:
        """Everything as it was before."""
        if self._study != self._before:
            self.edited.emit(self._before)
        super().reject()

    def _field(self, parameter: Parameter) -> QWidget:
        value = dict(self._study.params)[parameter.name]
        if parameter.kind == "int":
            whole = QSpinBox(minimum=int(parameter.minimum), maximum=int(parameter.maximum))
            whole.setValue(int(value))
            whole.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            whole.valueChanged.connect(partial(self._set, parameter.name))
            return whole
        if parameter.kind == "float":
            number = QDoubleSpinBox(minimum=parameter.minimum, maximum=parameter.maximum, singleStep=parameter.step)
            number.setDecimals(3)
            number.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            number.setValue(float(value))
            number.valueChanged.connect(partial(self._set, parameter.name))
            return number
        choice = QComboBox()
        choice.addItems(parameter.choices)
        choice.setCurrentText(str(value))
        choice.currentTextChanged.connect(partial(self._set, parameter.name))
        return choice

    def _set(self, name: str, value: object) -> None:
        self._say(self._study.with_params(**{name: value}))

    def _say(self, study: Study) -> None:
        self._study = study
        self.edited.emit(study)

    def _restore_defaults(self) -> None:
        study = Study.of(self._study.kind)
        for name, value in study.params:
            field = self.findChild(QWidget, name)
            setter: dict[type, Callable[[], None]] = {
                QSpinBox: lambda field=field, value=value: field.setValue(value),  # type: ignore[misc]
                QDoubleSpinBox: lambda field=field, value=value: field.setValue(value),  # type: ignore[misc]
                QComboBox: lambda field=field, value=value: field.setCurrentText(value),  # type: ignore[misc]
            }
            setter[type(field)]()
        for plot in study.entry.plots:
            button = self.findChild(QPushButton, f"colour {plot.name}")
            if button is not None:
                self._show_colour(button, colour_of(plot.colour, self._tokens))
        self._say(study)

    def _show_colour(self, button: QPushButton, colour: str) -> None:
        swatch = QPixmap(_SWATCH_PX, _SWATCH_PX)
        swatch.fill(QColor(colour))
        button.setIcon(swatch)
        button.setText(colour.upper())

    def _ask_colour(self, plot: str, button: QPushButton) -> None:
        dialog = QColorDialog(QColor(button.text()), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def take(colour: QColor) -> None:
            self._show_colour(button, colour.name())
            self._say(self._study.with_colours({**dict(self._study.colours), plot: colour.name()}))

        dialog.colorSelected.connect(take)
        dialog.open()
