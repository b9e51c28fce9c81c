"""What the window does with tabs and grids of charts."""

from __future__ import annotations

from functools import partial

from desktop.domain.layout import MOST_TABS
from desktop.ui.action_set import ActionSet
from desktop.ui.grid_button import GRID_ACTIONS
from desktop.ui.services_api import WorkspaceApi
from desktop.ui.workspace_view import WorkspaceView


def bind_workspace(actions: ActionSet, workspace: WorkspaceApi, view: WorkspaceView) -> None:
    """Binds the actions of tabs, grids and the way from chart to chart."""

    def has_tabs() -> bool:
        return len(workspace.tabs) > 1

    def has_charts() -> bool:
        return len(workspace.charts) > 1

    bind = actions.bind
    bind("tab.new", lambda: workspace.add_tab(), is_possible=lambda: len(workspace.tabs) < MOST_TABS)
    bind("tab.close", lambda: workspace.close_tab(workspace.tab), is_possible=has_tabs)
    bind("tab.rename", lambda: view.tab_row.rename(workspace.tabs.index(workspace.tab)))
    bind("tab.next", lambda: view.step_tab(1), is_possible=has_tabs)
    bind("tab.previous", lambda: view.step_tab(-1), is_possible=has_tabs)
    bind("chart.next", lambda: view.step(1), is_possible=has_charts)
    bind("chart.previous", lambda: view.step(-1), is_possible=has_charts)
    for number in range(1, 10):
        bind(f"chart.number_{number}", partial(view.activate_number, number), is_possible=has_charts)
    for action_id, grid in GRID_ACTIONS.items():
        bind(
            action_id,
            partial(workspace.set_grid, grid),
            is_on=partial(lambda grid: workspace.tab.grid is grid, grid),
        )
    actions.group(*GRID_ACTIONS)
    workspace.changed.connect(actions.refresh)
    workspace.active_changed.connect(actions.refresh)
