"""How the window shows itself: full screen, the chart alone, the keyboard's way from part to part, colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from desktop.domain.settings import Colours, Theme
from desktop.ui.action_set import ActionSet
from desktop.ui.services_api import PreferencesApi


class WindowView(QObject):
    """Binds these actions. `parts` are what F6 goes through; `around` is what hides when the chart is alone."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        preferences: PreferencesApi,
        *,
        parts: Callable[[], Sequence[QWidget]],
        around: Callable[[], Sequence[QWidget]],
        alone: Callable[[bool], None],
    ) -> None:
        """alone: tells the charts that the active one has all their room, or no longer."""
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._parts, self._around, self._alone = parts, around, alone
        self._hidden: list[QWidget] | None = None  # while the chart is alone
        actions.bind("view.full_screen", self.toggle_full_screen, is_on=window.isFullScreen)
        actions.bind("view.maximise", self.toggle_alone, is_on=lambda: self._hidden is not None)
        actions.bind("panel.next", lambda: self.step(1))
        actions.bind("panel.previous", lambda: self.step(-1))
        themes = {f"theme.{theme.value}": theme for theme in Theme}
        for action_id, theme in themes.items():
            is_on = partial(lambda theme: preferences.settings.theme is theme, theme)
            actions.bind(action_id, partial(preferences.update, theme=theme), is_on=is_on)
        actions.group(*themes)
        colours = {f"colours.{which.name.lower()}": which for which in Colours}
        for action_id, which in colours.items():
            is_on = partial(lambda which: preferences.settings.colours is which, which)
            actions.bind(action_id, partial(preferences.update, colours=which), is_on=is_on)
        actions.group(*colours)
        preferences.changed.connect(actions.refresh)

    def toggle_full_screen(self) -> None:
        """The window without frame on the whole screen, and back."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def toggle_alone(self) -> None:
        """The chart alone, and what was around it back again."""
        if self._hidden is None:
            self._hidden = [part for part in self._around() if part.isVisibleTo(self._window)]
            for part in self._hidden:
                part.hide()
            self._alone(True)
        else:
            self.show_all()
            return
        self._actions.refresh()

    def show_all(self) -> None:
        """Ends the chart's being alone."""
        hidden, self._hidden = self._hidden, None
        if hidden is None:
            return
        for part in hidden:
            part.show()
        self._alone(False)
        self._actions.refresh()

    def step(self, by: int) -> None:
        """The keyboard goes to the next part (1) or the one before (-1) that can take it."""
        targets = [target for part in self._parts() if (target := _first_field(part)) is not None]
        if not targets:
            return
        now = QApplication.focusWidget()
        places = [n for n, part in enumerate(map(self._part_of, targets)) if now is not None and _holds(part, now)]
        place = (places[0] + by) if places else (0 if by > 0 else -1)
        targets[place % len(targets)].setFocus(Qt.FocusReason.TabFocusReason)

    def _part_of(self, target: QWidget) -> QWidget:
        return next(part for part in self._parts() if _holds(part, target))


def _holds(part: QWidget, widget: QWidget) -> bool:
    return part is widget or part.isAncestorOf(widget)


def _first_field(part: QWidget) -> QWidget | None:
    """What takes the keyboard in a part: itself, the one it stands for, or the first field in it."""
    if not part.isVisible():
        return None
    candidates = [part.focusProxy() or part, *part.findChildren(QWidget)]
    return next((one for one in candidates if _takes_keys(one)), None)


def _takes_keys(widget: QWidget) -> bool:
    is_reachable = widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None
    return is_reachable and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
