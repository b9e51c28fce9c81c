"""Colours, fonts and the small style sheet of the application: the only place that names a colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette

from desktop.domain.settings import Colours, Theme


@dataclass(frozen=True, slots=True)
class Tokens:
    """Every colour of one appearance, as `#RRGGBB` or `#AARRGGBB`; the tests compute the contrasts."""

    name: str
    is_dark: bool
    chart: str  # chart background
    panel: str  # docks, bars, dialogs
    raised: str  # fields, buttons
    hover: str
    grid: str
    line: str  # separators and axis lines
    text: str
    secondary: str
    crosshair: str
    crosshair_box: str
    crosshair_text: str
    accent: str
    accent_text: str  # on a filled accent
    warning: str
    warning_text: str  # on a filled warning
    error: str
    good: str
    up: str
    down: str
    up_ink: str  # `up` as text
    down_ink: str
    neutral: str
    up_text: str  # on a filled `up`
    down_text: str
    neutral_text: str
    volume_alpha: float  # share of the candle colour in a volume bar
    missing_alpha: float  # share of `warning` in a missing-data hatch
    hollow_up: bool = False  # bodies of rising bars are hollow: colour is not the only sign
    has_dotted_grid: bool = False
    shade: str = "#1A1E28"  # hours outside regular trading: 3 % of white, or of black
    studies: tuple[str, str, str, str] = ("#5B8CFF", "#F7A600", "#BA68C8", "#4DD0E1")
    links: tuple[str, str, str, str, str, str] = ("#5B8CFF", "#F7A600", "#66BB6A", "#EF5350", "#BA68C8", "#4DD0E1")


DARK: Final = Tokens(
    name="dark",
    is_dark=True,
    chart="#131722",
    panel="#1B202C",
    raised="#252B3A",
    hover="#2E3546",
    grid="#1E222D",
    line="#2A2E39",
    text="#B2B5BE",
    secondary="#8A8F9C",
    crosshair="#9598A1",
    crosshair_box="#363A45",
    crosshair_text="#FFFFFF",
    accent="#5B8CFF",
    accent_text="#0B0E14",
    warning="#F7A600",
    warning_text="#0B0E14",
    error="#EF5350",
    good="#26A69A",
    up="#26A69A",
    down="#EF5350",
    up_ink="#26A69A",
    down_ink="#EF5350",
    neutral="#8A8F9C",
    up_text="#0B0E14",
    down_text="#0B0E14",
    neutral_text="#0B0E14",
    volume_alpha=0.5,
    missing_alpha=0.12,
)

LIGHT: Final = Tokens(
    name="light",
    is_dark=False,
    chart="#FFFFFF",
    panel="#F7F8FA",
    raised="#FFFFFF",
    hover="#E9ECF2",
    grid="#F0F3FA",
    line="#E0E3EB",
    text="#131722",
    secondary="#5D606B",
    crosshair="#5D606B",
    crosshair_box="#131722",
    crosshair_text="#FFFFFF",
    accent="#2962FF",
    accent_text="#FFFFFF",
    warning="#9A6700",
    warning_text="#FFFFFF",
    error="#C62828",
    good="#00796B",
    up="#00796B",
    down="#C62828",
    up_ink="#00796B",
    down_ink="#C62828",
    neutral="#8A8F9C",
    up_text="#FFFFFF",
    down_text="#FFFFFF",
    neutral_text="#000000",
    volume_alpha=0.5,
    missing_alpha=0.10,
    shade="#F7F7F7",
    studies=("#2962FF", "#9A6700", "#8E24AA", "#00838F"),
    links=("#2962FF", "#B25E00", "#2E7D32", "#C62828", "#8E24AA", "#00838F"),
)

SAFE_DARK: Final = replace(
    DARK,
    name="dark, colour-safe",
    up="#56B4E9",
    down="#E69F00",
    up_ink="#56B4E9",
    down_ink="#E69F00",
    hollow_up=True,
)

SAFE_LIGHT: Final = replace(
    LIGHT,
    name="light, colour-safe",
    up="#0072B2",
    down="#D55E00",
    up_ink="#0072B2",
    down_ink="#B34F00",
    down_text="#0B0E14",
    hollow_up=True,
)

HIGH_CONTRAST: Final = Tokens(
    name="high contrast",
    is_dark=True,
    chart="#000000",
    panel="#000000",
    raised="#1C1C1C",
    hover="#3A3A3A",
    grid="#777777",
    line="#FFFFFF",
    text="#FFFFFF",
    secondary="#FFFFFF",
    crosshair="#FFFF00",
    crosshair_box="#FFFFFF",
    crosshair_text="#000000",
    accent="#FFFF00",
    accent_text="#000000",
    warning="#FFD400",
    warning_text="#000000",
    error="#FF9C8A",
    good="#7CF29A",
    up="#FFFFFF",
    down="#FF9F1A",
    up_ink="#FFFFFF",
    down_ink="#FF9F1A",
    neutral="#BDBDBD",
    up_text="#000000",
    down_text="#000000",
    neutral_text="#000000",
    volume_alpha=0.5,
    missing_alpha=0.30,
    hollow_up=True,
    has_dotted_grid=True,
    shade="#141414",
)


def _red_up(tokens: Tokens, name: str) -> Tokens:
    """The same colours the other way round."""
    return replace(
        tokens,
        name=name,
        up=tokens.down,
        down=tokens.up,
        up_ink=tokens.down_ink,
        down_ink=tokens.up_ink,
        up_text=tokens.down_text,
        down_text=tokens.up_text,
    )


EAST_ASIA_DARK: Final = _red_up(DARK, "dark, red up")
EAST_ASIA_LIGHT: Final = _red_up(LIGHT, "light, red up")


def resolve(theme: Theme, system_is_dark: bool, colours: Colours = Colours.CLASSIC) -> Tokens:
    """The tokens for two settings; `SYSTEM` follows the desktop, high contrast is always on black."""
    is_dark = system_is_dark if theme is Theme.SYSTEM else theme is Theme.DARK
    match colours:
        case Colours.HIGH_CONTRAST:
            return HIGH_CONTRAST
        case Colours.SAFE:
            return SAFE_DARK if is_dark else SAFE_LIGHT
        case Colours.EAST_ASIA:
            return EAST_ASIA_DARK if is_dark else EAST_ASIA_LIGHT
        case Colours.CLASSIC:
            return DARK if is_dark else LIGHT


def blend(front: str, back: str, share: float) -> str:
    """`front` laid over `back` with the given share in 0..1, as an opaque colour."""
    top, bottom = QColor(front), QColor(back)
    mixed = (
        round(f * share + b * (1.0 - share))
        for f, b in ((top.red(), bottom.red()), (top.green(), bottom.green()), (top.blue(), bottom.blue()))
    )
    return QColor(*mixed).name()


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two opaque colours, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parsed = QColor(colour)
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (parsed.redF(), parsed.greenF(), parsed.blueF())
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def palette(tokens: Tokens) -> QPalette:
    """The application's QPalette."""
    built = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.panel,
        role.WindowText: tokens.text,
        role.Base: tokens.chart,
        role.AlternateBase: tokens.panel,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.error,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.accent_text,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.ToolTipBase: tokens.crosshair_box,
        role.ToolTipText: tokens.crosshair_text,
        role.PlaceholderText: tokens.secondary,
        role.Accent: tokens.accent,
        role.Light: tokens.hover,
        role.Midlight: tokens.raised,
        role.Mid: tokens.line,
        role.Dark: tokens.line,
        role.Shadow: tokens.grid,
    }
    for which, colour in colours.items():
        built.setColor(which, QColor(colour))
    disabled = QColor(blend(tokens.secondary, tokens.panel, 0.6))
    for which in (role.WindowText, role.Text, role.ButtonText):
        built.setColor(QPalette.ColorGroup.Disabled, which, disabled)
    return built


def style_sheet(tokens: Tokens) -> str:
    """What the palette cannot say: borders, radii, focus rings, docks, tables."""
    selected = blend(tokens.accent, tokens.chart, 0.22)
    disabled = tokens.secondary if tokens.secondary != tokens.text else blend(tokens.secondary, tokens.panel, 0.6)
    pressed = blend(tokens.text, tokens.raised, 0.12)
    return f"""
    QToolTip {{ color: {tokens.crosshair_text}; background: {tokens.crosshair_box};
        border: 1px solid {tokens.line}; padding: 4px 6px; }}
    QMainWindow::separator {{ background: {tokens.line}; width: 1px; height: 1px; }}
    QMenuBar {{ background: {tokens.panel}; color: {tokens.text}; border-bottom: 1px solid {tokens.line}; }}
    QMenuBar::item {{ padding: 4px 8px; background: transparent; }}
    QMenuBar::item:selected {{ background: {tokens.hover}; border-radius: 4px; }}
    QMenu {{ background: {tokens.panel}; color: {tokens.text}; border: 1px solid {tokens.line}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 20px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {tokens.hover}; }}
    QMenu::separator {{ height: 1px; background: {tokens.line}; margin: 4px 6px; }}
    QToolBar {{ background: {tokens.panel}; border: none; border-bottom: 1px solid {tokens.line};
        padding: 4px 8px; spacing: 4px; }}
    QStatusBar {{ background: {tokens.panel}; color: {tokens.secondary}; border-top: 1px solid {tokens.line}; }}
    QStatusBar::item {{ border: none; }}
    QDockWidget {{ color: {tokens.text}; }}
    QDockWidget::title {{ background: {tokens.panel}; padding: 6px 10px; text-align: left; }}
    QLineEdit, QSpinBox, QComboBox, QPlainTextEdit {{ background: {tokens.raised}; color: {tokens.text};
        border: 1px solid {tokens.line}; border-radius: 4px; padding: 4px 8px;
        selection-background-color: {tokens.accent}; selection-color: {tokens.accent_text}; }}
    QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {{ border: 2px solid {tokens.accent};
        padding: 3px 7px; }}
    QLineEdit:disabled, QComboBox:disabled {{ color: {disabled}; background: {tokens.panel}; }}
    QPushButton, QToolButton {{ background: {tokens.raised}; color: {tokens.text}; border: 1px solid {tokens.line};
        border-radius: 4px; padding: 4px 12px; }}
    QToolButton {{ padding: 4px 8px; }}
    QPushButton:hover, QToolButton:hover {{ background: {tokens.hover}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {pressed}; }}
    QPushButton:focus, QToolButton:focus {{ border: 2px solid {tokens.accent}; padding: 3px 11px; }}
    QToolButton:focus {{ padding: 3px 7px; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {disabled}; background: {tokens.panel}; }}
    QPushButton[primary="true"], QPushButton:default {{ background: {tokens.accent}; color: {tokens.accent_text};
        border-color: {tokens.accent}; }}
    QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
    QToolButton[flat="true"]:hover {{ background: {tokens.hover}; }}
    QToolButton[flat="true"]:focus {{ border-color: {tokens.accent}; }}
    QToolButton:checked, QToolButton[flat="true"]:checked {{ background: {selected}; border-color: {tokens.accent}; }}
    QToolButton[small="true"], QToolButton[small="true"]:focus {{ padding: 2px; }}
    QPushButton[small="true"] {{ padding: 0 8px; }}
    QPushButton[small="true"]:focus {{ padding: 0 7px; }}
    QTableView, QListView, QTreeView {{ background: {tokens.chart}; color: {tokens.text}; border: none;
        gridline-color: {tokens.grid}; selection-background-color: {selected}; selection-color: {tokens.text}; }}
    QHeaderView::section {{ background: {tokens.panel}; color: {tokens.secondary}; border: none;
        border-bottom: 1px solid {tokens.line}; padding: 5px 8px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {tokens.line}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {tokens.secondary}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """


def text_font(size_px: float) -> QFont:
    """The system's interface font at a size in (device) pixels."""
    font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont))
    font.setPixelSize(max(1, round(size_px)))
    return font


def number_font(size_px: float) -> QFont:
    """A font whose digits are all equally wide: the interface font where it can, else the system's fixed one."""
    font = text_font(size_px)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font if _has_equal_digits(font.key()) else _fixed_font(size_px)


@lru_cache(maxsize=32)
def _has_equal_digits(font_key: str) -> bool:
    font = QFont()
    font.fromString(font_key)
    font.setFeature(QFont.Tag("tnum"), 1)
    metrics = QFontMetricsF(font)
    return len({round(metrics.horizontalAdvance(digit * 8), 3) for digit in "0123456789"}) == 1


def _fixed_font(size_px: float) -> QFont:
    font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    font.setPixelSize(max(1, round(size_px)))
    return font
