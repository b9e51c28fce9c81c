"""Every action of the window in one table: what it is called, which keys start it, where they count.

The table is data alone. `action_set.ActionSet` makes Qt's actions of it and knows who does what; menus, the chart's
context menus, the sheet of shortcuts and the command palette are fed by both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Context = Literal["window", "chart", "drawing", "list"]
"""Where keys count: everywhere; on the focused chart; there, while a drawing is selected; in the watchlist."""

Menu = Literal["", "File", "Edit", "View", "Layout", "Chart", "Draw", "Data", "Help"]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action. `keys` as QKeySequence writes them portably, the first is shown; `menu` "": in no menu of the bar.

    `text` is a menu's text with its mnemonic; `tip` one sentence for the status bar, and more words to be found by.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    context: Context = "window"
    menu: Menu = ""
    tip: str = ""
    opens_group: bool = False  # a line above it in its menu

    @property
    def name(self) -> str:
        """The text without mnemonic and dots."""
        return self.text.replace("&", "").removesuffix("…")


KINDS: Final = (
    ("candles", "Candles"),
    ("hollow", "Hollow candles"),
    ("bars", "Bars (OHLC)"),
    ("line", "Line"),
    ("area", "Area"),
    ("baseline", "Baseline"),
    ("heikin_ashi", "Heikin-Ashi"),
)

DRAWN: Final[tuple[ActionSpec, ...]] = (
    ActionSpec("draw.select", "Se&lect", menu="Draw", tip="Takes drawings, draws nothing"),
    ActionSpec("draw.trend", "&Trend line", ("Alt+T",), menu="Draw", tip="From one place to another", opens_group=True),
    ActionSpec("draw.ray", "&Ray", ("Alt+J",), menu="Draw", tip="From one place through another"),
    ActionSpec("draw.extended", "&Extended line", menu="Draw", tip="Through two places, without an end"),
    ActionSpec("draw.horizontal", "&Horizontal line", ("Alt+H",), menu="Draw", tip="A price; at the crosshair at once"),
    ActionSpec("draw.vertical", "&Vertical line", ("Alt+V",), menu="Draw", tip="A moment; at the crosshair at once"),
    ActionSpec("draw.channel", "Parallel &channel", menu="Draw", tip="A line and its parallel"),
    ActionSpec("draw.rectangle", "Recta&ngle", menu="Draw", tip="A range of time and price"),
    ActionSpec("draw.fibonacci", "&Fibonacci retracement", ("Alt+F",), menu="Draw", tip="Shares of a move"),
    ActionSpec("draw.arrow", "&Arrow", menu="Draw", tip="Points at something"),
    ActionSpec("draw.text", "Te&xt", menu="Draw", tip="A note on the chart"),
    ActionSpec("draw.measure", "&Measure", ("Alt+M",), menu="Draw", tip="Price, percent, bars, time, volume"),
    ActionSpec("draw.magnet", "Ma&gnet", menu="Draw", tip="The crosshair clings to prices of a bar", opens_group=True),
    ActionSpec("drawings.hide", "H&ide drawings", ("Ctrl+Alt+H",), menu="Draw", tip="Shows them again, too"),
    ActionSpec("drawings.reveal", "&Show single hidden ones", menu="Draw", tip="Drawings that were hidden one by one"),
    ActionSpec("drawings.remove_all", "Remove all &drawings", menu="Draw", tip="Of this ticker; can be undone"),
    ActionSpec("drawings.export", "Ex&port drawings…", menu="Draw", tip="As a JSON file", opens_group=True),
    ActionSpec("drawings.import", "Imp&ort drawings…", menu="Draw", tip="From a JSON file"),
    # While one is selected or in the making
    ActionSpec("drawing.remove", "Remove the drawing", ("Del", "Backspace"), "drawing"),
    ActionSpec("drawing.copy", "Copy the drawing", ("Ctrl+C",), "drawing"),
    ActionSpec("drawing.edit", "Style of the drawing…", ("Return", "Enter"), "drawing", tip="Or fixes an anchor"),
    ActionSpec("drawing.up", "Drawing up by a tick", ("Up",), "drawing"),
    ActionSpec("drawing.down", "Drawing down by a tick", ("Down",), "drawing"),
    ActionSpec("drawing.left", "Drawing left by a bar", ("Left",), "drawing"),
    ActionSpec("drawing.right", "Drawing right by a bar", ("Right",), "drawing"),
)
"""What draws; a part of the table below."""

ACTIONS: Final[tuple[ActionSpec, ...]] = (
    # File
    ActionSpec("image.save", "Save &image…", ("Alt+S",), menu="File", tip="Save the chart or the window as a picture"),
    ActionSpec("image.copy", "&Copy image", ("Ctrl+Shift+S",), menu="File", tip="The chart as a picture, to paste"),
    ActionSpec("csv.save", "Save CS&V…", menu="File", tip="The bars on the screen, as a file", opens_group=True),
    ActionSpec("csv.save_all", "Save &all bars as CSV…", menu="File", tip="Every bar that is loaded, as a file"),
    ActionSpec("table.show", "Show as &table", ("Ctrl+Shift+T",), menu="File", tip="The bars as a table to read"),
    ActionSpec(
        "settings.open",
        "&Settings…",
        ("Ctrl+,",),
        menu="File",
        tip="Key, plan, connection, appearance",
        opens_group=True,
    ),
    ActionSpec("app.quit", "&Quit", ("Ctrl+Q",), menu="File", opens_group=True),
    # Edit
    ActionSpec("edit.undo", "&Undo", ("Ctrl+Z",), menu="Edit", tip="Takes back what was drawn last"),
    ActionSpec("edit.redo", "&Redo", ("Ctrl+Y", "Ctrl+Shift+Z"), menu="Edit", tip="Does again what was undone"),
    ActionSpec("drawing.paste", "&Paste drawings", ("Ctrl+V",), "chart", "Edit", "Drawings that were copied", True),
    *DRAWN,
    # View
    ActionSpec("palette.open", "Command &palette…", ("Ctrl+K", "Ctrl+P"), menu="View", tip="Find any action by name"),
    ActionSpec("search.open", "&Search symbol", ("Ctrl+F",), menu="View", tip="Show another ticker"),
    ActionSpec("panel.watchlist", "&Watchlist", menu="View", tip="Show or hide the watchlist", opens_group=True),
    ActionSpec("panel.next", "&Next panel", ("F6",), menu="View", tip="Move the keyboard to the next part"),
    ActionSpec("panel.previous", "Pre&vious panel", ("Shift+F6",), menu="View"),
    ActionSpec(
        "view.maximise",
        "&Maximise chart",
        ("Alt+Return", "Alt+Enter"),
        menu="View",
        tip="The chart alone, without bars and panels",
        opens_group=True,
    ),
    ActionSpec("view.full_screen", "&Full screen", ("F11",), menu="View"),
    ActionSpec("theme.system", "As the s&ystem", menu="View", tip="Theme of the desktop", opens_group=True),
    ActionSpec("theme.dark", "&Dark", menu="View", tip="Dark theme"),
    ActionSpec("theme.light", "&Light", menu="View", tip="Light theme"),
    ActionSpec("colours.classic", "&Classic colours", menu="View", tip="Green up, red down", opens_group=True),
    ActionSpec("colours.safe", "C&olour-safe", menu="View", tip="Told apart by everybody"),
    ActionSpec("colours.high_contrast", "&High contrast", menu="View", tip="White and orange on black"),
    ActionSpec("colours.east_asia", "&Red up (East Asia)", menu="View", tip="Red up, green down"),
    # Layout
    ActionSpec("tab.new", "&New tab", ("Ctrl+T",), menu="Layout", tip="A tab with one chart"),
    ActionSpec("tab.rename", "&Rename tab…", menu="Layout", tip="An empty name says what is shown"),
    ActionSpec("tab.close", "&Close tab", ("Ctrl+W",), menu="Layout", tip="And its charts"),
    ActionSpec("tab.next", "Next tab", ("Ctrl+PgDown",), menu="Layout", opens_group=True),
    ActionSpec("tab.previous", "Previous tab", ("Ctrl+PgUp",), menu="Layout"),
    ActionSpec("chart.next", "Next chart", ("Ctrl+Tab",), menu="Layout", tip="On into the next tab after the last"),
    ActionSpec("chart.previous", "Previous chart", ("Ctrl+Shift+Tab",), menu="Layout"),
    ActionSpec("grid.one", "&One chart", menu="Layout", opens_group=True),
    ActionSpec("grid.columns", "Two, side by side", menu="Layout", tip="Two charts in columns"),
    ActionSpec("grid.rows", "Two, stacked", menu="Layout", tip="Two charts in rows"),
    ActionSpec("grid.three", "&Three charts", menu="Layout", tip="A large and two small charts"),
    ActionSpec("grid.four", "&Four charts", menu="Layout", tip="Two rows of two"),
    ActionSpec("grid.six", "&Six charts", menu="Layout", tip="Two rows of three"),
    ActionSpec("grid.nine", "N&ine charts", menu="Layout", tip="Three rows of three"),
    *(
        ActionSpec(f"chart.number_{number}", f"Chart {number}", (f"Ctrl+{number}",), tip="Or tab, of single charts")
        for number in range(1, 10)
    ),
    # Chart
    ActionSpec("view.reset", "&Reset view", ("Alt+R",), menu="Chart", tip="Usual spacing, newest bar, autoscale"),
    ActionSpec("time.go_to", "&Go to date…", ("Alt+G",), menu="Chart", tip="2024-03-01 14:00, -30d, yesterday"),
    ActionSpec("time.zone", "Time &zone…", menu="Chart", tip="UTC, local, exchange or any place"),
    ActionSpec(
        "time.breaks", "Session brea&ks", menu="Chart", tip="Breaks between sessions, shaded pre and post hours"
    ),
    ActionSpec("time.day_lines", "&Day and week lines", menu="Chart", tip="Where days and weeks begin"),
    ActionSpec("time.regular", "Regular &hours only", menu="Chart", tip="Stocks without pre-market and after hours"),
    ActionSpec("time.closed", "Show closed &time", menu="Chart", tip="Nights and weekends take room"),
    ActionSpec("symbol.next", "&Next symbol", ("Down",), "chart", "Chart", "The next one of the watchlist", True),
    ActionSpec("symbol.previous", "&Previous symbol", ("Up",), "chart", "Chart", "The one before in the watchlist"),
    ActionSpec("watchlist.toggle", "On the &watchlist", ("Alt+W",), menu="Chart", tip="Add or remove this ticker"),
    ActionSpec("interval.open", "&Interval…", (",",), "chart", "Chart", "Another timeframe: 15, 4h, 1D"),
    ActionSpec(
        "price.autoscale", "&Autoscale", menu="Chart", tip="Prices follow what is on the screen", opens_group=True
    ),
    ActionSpec("scale.linear", "&Linear scale", menu="Chart", tip="Equal steps of price"),
    ActionSpec("scale.log", "L&ogarithmic scale", ("Alt+L",), menu="Chart", tip="Equal steps of percent"),
    ActionSpec("scale.percent", "P&ercent", ("Alt+P",), menu="Chart", tip="Change since the left edge"),
    ActionSpec("scale.indexed", "Inde&xed to 100", menu="Chart", tip="Since the left edge"),
    ActionSpec("scale.invert", "In&verted scale", ("Alt+I",), menu="Chart", tip="Falling prices go up"),
    ActionSpec("study.add", "Add study…", ("/",), "chart", "Chart", "Averages, bands, oscillators", opens_group=True),
    *(ActionSpec(f"chart.kind.{kind}", text, menu="Chart", tip="How bars are drawn") for kind, text in KINDS),
    ActionSpec("price.copy", "Copy price", tip="The price under the crosshair"),
    ActionSpec(
        "bar.copy", "Copy &bar", ("Ctrl+C",), "chart", "Chart", "The bar under the crosshair, as a table row", True
    ),
    # On the focused chart alone
    ActionSpec("time.bar_left", "One bar left", ("Left",), "chart"),
    ActionSpec("time.bar_right", "One bar right", ("Right",), "chart"),
    ActionSpec("time.bars_left", "Ten bars left", ("Ctrl+Left",), "chart"),
    ActionSpec("time.bars_right", "Ten bars right", ("Ctrl+Right",), "chart"),
    ActionSpec("measure.left", "Measure one bar further left", ("Shift+Left",), "chart", tip="From the crosshair"),
    ActionSpec("measure.right", "Measure one bar further right", ("Shift+Right",), "chart", tip="From the crosshair"),
    ActionSpec("time.first", "First bar", ("Home",), "chart", tip="The oldest one loaded"),
    ActionSpec("time.latest", "Latest bar", ("End",), "chart"),
    ActionSpec("time.latest_reset", "Latest bar, usual spacing", ("Alt+End",), "chart"),
    ActionSpec("time.screen_back", "One screen back", ("PgUp",), "chart"),
    ActionSpec("time.screen_forward", "One screen forward", ("PgDown",), "chart"),
    ActionSpec("time.zoom_in", "Zoom in", ("+", "=", "Ctrl+Up"), "chart"),
    ActionSpec("time.zoom_out", "Zoom out", ("-", "Ctrl+Down"), "chart"),
    ActionSpec("price.zoom_in", "Stretch prices", ("Ctrl+Shift+Up",), "chart", tip="A tenth less of the price range"),
    ActionSpec("price.zoom_out", "Squeeze prices", ("Ctrl+Shift+Down",), "chart", tip="More of the price range"),
    ActionSpec("chart.leave", "Leave what was begun", ("Esc",), "chart", tip="Hides the crosshair"),
    # Data
    ActionSpec("demo.open", "Open the &demo market", menu="Data"),
    ActionSpec("key.settings", "API &key…", menu="Data"),
    ActionSpec(
        "audit.open",
        "&Audit this range…",
        ("F5",),
        menu="Data",
        tip="Compare what is on the screen with the vendor",
        opens_group=True,
    ),
    ActionSpec("plan.check", "&Check the plan again", menu="Data", tip="Ask again for what the plan refused"),
    # Help
    ActionSpec("help.shortcuts", "&Shortcuts", ("F1", "?"), menu="Help", tip="Every key and gesture"),
    ActionSpec("help.about", "&About Candelabra", menu="Help"),
    # In the watchlist, which answers its keys itself
    ActionSpec("list.open", "Open the ticker", ("Return", "Enter"), "list"),
    ActionSpec("list.remove", "Remove from the watchlist", ("Del", "Backspace"), "list"),
    ActionSpec("list.move_up", "Move up", ("Alt+Up",), "list"),
    ActionSpec("list.move_down", "Move down", ("Alt+Down",), "list"),
)

MENUS: Final[tuple[tuple[Menu, str], ...]] = (
    ("File", "Fil&e"),
    ("Edit", "Edit"),
    ("View", "View"),
    ("Layout", "Layout"),
    ("Chart", "Chart"),
    ("Draw", "Draw"),
    ("Data", "&Data"),
    ("Help", "Help"),
)
"""The menus of the bar, in order, with their texts. Most have no mnemonic: Alt and its letter draws or scales."""


def spec_of(action_id: str) -> ActionSpec:
    """The row of an action; KeyError for an id that is not in the table."""
    for spec in ACTIONS:
        if spec.id == action_id:
            return spec
    raise KeyError(action_id)


def can_meet(one: Context, other: Context) -> bool:
    """Whether a key could mean both: on the chart a selected drawing is asked first, so these two may share one."""
    return one == other or "window" in (one, other)
