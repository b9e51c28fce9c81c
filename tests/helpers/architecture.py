"""The project's rules as functions over syntax trees: which layer may import what, and which calls are forbidden.

Every rule takes a `Source` and yields complaints; tests/test_architecture.py runs them over desktop/ and shows for
each one a snippet that breaks it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

MAX_MODULE_LINES: Final = 400
MAX_CLASS_LINES: Final = 250
EXCUSE: Final = "Long because"

QT: Final = "PySide6"
# Allowed third-party packages of a layer; "late" ones only inside a function. "PySide6.X" admits one Qt module.
_DATA_PACKAGES: Final = frozenset(
    {"numpy", "httpx", "httpcore", "certifi", "h11", "websockets", "msgspec", "keyring", "platformdirs"}
)


@dataclass(frozen=True, slots=True)
class Layer:
    """What one package under desktop/ may import: sibling packages, third-party ones, and stdlib ones it must not."""

    packages: frozenset[str]
    third_party: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    denied_stdlib: frozenset[str] = frozenset()


def words(text: str) -> frozenset[str]:
    """The blank-separated words of a text."""
    return frozenset(text.split())


_OUTSIDE_WORLD: Final = words(
    "asyncio concurrent http io logging multiprocessing os selectors shutil signal socket socketserver sqlite3 ssl "
    "subprocess tempfile threading urllib.request"
)
_WEB_AND_FILES: Final = words("sqlite3 socket ssl http urllib.request subprocess multiprocessing")

LAYERS: Final = {
    "domain": Layer(words("domain"), words("numpy"), late=words("talib"), denied_stdlib=_OUTSIDE_WORLD),
    "data": Layer(words("data domain"), _DATA_PACKAGES, late=words("pyarrow psycopg")),
    "services": Layer(
        words("services data domain"), words("numpy PySide6.QtCore"), denied_stdlib=words("sqlite3 socket ssl http")
    ),
    "ui": Layer(
        words("ui services assistant domain"),
        words("numpy pyqtgraph shiboken6 PySide6"),
        denied_stdlib=_WEB_AND_FILES,
    ),
    "demo": Layer(words("demo data domain"), words("numpy httpx h11 websockets msgspec")),
    "mcp": Layer(words("mcp data domain"), words("numpy msgspec mcp")),
    "assistant": Layer(words("assistant data domain"), words("numpy msgspec httpx")),
    "commands": Layer(
        words("commands assembly services data domain demo mcp"),
        words("numpy msgspec PySide6.QtCore"),
        denied_stdlib=words("sqlite3"),
    ),
    "platform": Layer(words("platform domain"), words("PySide6.QtCore PySide6.QtGui PySide6.QtDBus jeepney")),
}
# Modules directly under desktop/. The composition root knows all layers (its part without a window, assembly, serves
# the commands too); the command line imports everything late.
_COMPOSITION: Final = Layer(
    frozenset(LAYERS) | words("assembly session shots instance"), _DATA_PACKAGES | words("PySide6 pyqtgraph qasync")
)
ROOT_MODULES: Final = {
    "__init__": Layer(frozenset()),
    "__main__": Layer(frozenset(), late=frozenset(LAYERS) | words("PySide6 app instance")),
    "app": _COMPOSITION,
    "session": _COMPOSITION,
    "shots": _COMPOSITION,
    "assembly": Layer(words("services data domain demo"), words("httpx")),
    "instance": Layer(frozenset(), words("PySide6.QtCore PySide6.QtNetwork")),
    "platform_check": Layer(frozenset()),
}
FREE_ROOT_MODULES: Final = words("platform_check")  # standard library alone: anyone may import them

MAY_PRINT: Final = (
    "desktop/commands/",
    "desktop/__main__.py",
    "desktop/shots.py",
    "desktop/demo/command.py",
    "desktop/demo/__main__.py",
)
STARTS_TASKS: Final = "desktop/services/tasks.py"
MAY_PAUSE: Final = "desktop/data/wire.py"  # microseconds, in a worker thread, so that the loop gets its turn


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its path relative to the project with forward slashes, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> Source:
        return cls(path, text, ast.parse(text, path))

    @classmethod
    def read(cls, file: Path, root: Path) -> Source:
        return cls.parse(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))

    @property
    def package(self) -> str:
        """The layer's name; empty for a module directly under desktop/."""
        parts = PurePosixPath(self.path).parts
        return parts[1] if len(parts) > 2 else ""


@dataclass(frozen=True, slots=True)
class Complaint:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def complain(source: Source, node: ast.AST, text: str) -> Complaint:
    return Complaint(source.path, getattr(node, "lineno", 1), text)


# --- imports ---


@dataclass(frozen=True, slots=True)
class _Import:
    node: ast.AST
    name: str  # dotted, absolute; the imported name included for "from x import y"
    is_late: bool


def _imports(source: Source) -> Iterator[_Import]:
    own = PurePosixPath(source.path).with_suffix("").parts
    package = own[:-1]
    late = {
        id(inner)
        for outer in ast.walk(source.tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(node, alias.name, id(node) in late)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield _Import(node, f"{module}.{alias.name}", id(node) in late)


def _is_in(name: str, prefixes: frozenset[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def imports_point_downwards(source: Source) -> Iterator[Complaint]:
    """A layer imports itself, the layers below and its own third-party packages."""
    stem = PurePosixPath(source.path).stem
    layer = LAYERS.get(source.package) if source.package else ROOT_MODULES.get(stem)
    if layer is None:
        yield complain(source, source.tree, f"{source.package or stem} is no layer of the architecture")
        return
    for found in _imports(source):
        top, _, rest = found.name.partition(".")
        allowed = layer.third_party | (layer.late if found.is_late else frozenset())
        if top == "desktop":
            sibling = rest.split(".")[0]
            is_fine = (
                sibling in layer.packages | FREE_ROOT_MODULES
                or sibling in {"", "__version__"}
                or (found.is_late and sibling in layer.late)
            )
        elif top in sys.stdlib_module_names:
            is_fine = not _is_in(found.name, layer.denied_stdlib)
        elif top == QT and QT not in allowed:
            is_fine = _is_in(found.name, allowed)
        else:
            is_fine = top in allowed
        if not is_fine:
            where = "" if found.is_late or top not in layer.late else " at module level"
            yield complain(source, found.node, f"{source.package or stem} must not import {found.name}{where}")


def services_use_objects_and_signals_only(source: Source) -> Iterator[Complaint]:
    """Of Qt the services know QObject and Signal: what they do must not hang on Qt's event loop or widgets."""
    if source.package != "services":
        return
    for found in _imports(source):
        if found.name.startswith("PySide6.QtCore.") and found.name.split(".")[2] not in {"QObject", "Signal", "Slot"}:
            yield complain(source, found.node, f"services take QObject and Signal from Qt, not {found.name}")


# --- calls ---


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute chain; a call or subscript in it shows as `()`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return f"{dotted(node.func)}()" if isinstance(node, ast.Call) else "()"


def _origins(source: Source) -> dict[str, str]:
    """Local name -> dotted origin of everything imported, so that an alias hides nothing."""
    origins: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    origins[alias.asname] = alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return origins


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    origins = _origins(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            head, dot, rest = dotted(node.func).partition(".")
            yield node, f"{origins.get(head, head)}{dot}{rest}"


_APPLICATION: Final = re.compile(r"(^|\.)(app|application|qapp|QApplication|QGuiApplication|QCoreApplication)$", re.I)
_MODAL: Final = re.compile(
    r"(^|\.)(QFileDialog\.get\w+|QInputDialog\.get\w+|QColorDialog\.getColor|QFontDialog\.getFont"
    r"|QMessageBox\.(about|aboutQt|critical|information|question|warning))$"
)


def no_nested_loops(source: Source) -> Iterator[Complaint]:
    """A nested Qt loop inside a task makes every other task fail: no exec of dialogs, no static modal dialogs."""
    for call, name in _calls(source):
        receiver, _, method = name.rpartition(".")
        if method in {"exec", "exec_"} and receiver and not _APPLICATION.search(receiver):
            yield complain(source, call, f"{name}() runs a nested loop; use open() and await its signal")
        elif method == "processEvents":
            yield complain(source, call, "processEvents() runs a nested loop")
        elif _MODAL.search(name):
            yield complain(source, call, f"{name}() runs a nested loop; open a dialog instead")


def no_async_slots(source: Source) -> Iterator[Complaint]:
    """qasync's asyncSlot and asyncClose start tasks that nobody owns."""
    forbidden = {"asyncSlot", "asyncClose"}
    for node in ast.walk(source.tree):
        names = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom | ast.Import) else set()
        if isinstance(node, ast.Name):
            names = {node.id}
        elif isinstance(node, ast.Attribute):
            names = {node.attr}
        for name in sorted(names & forbidden):
            yield complain(source, node, f"{name} starts tasks that nobody owns; use Tasks.start in a plain slot")


def tasks_have_owners(source: Source) -> Iterator[Complaint]:
    """Only services/tasks.py starts tasks; a TaskGroup owns its own."""
    if source.path == STARTS_TASKS:
        return
    for call, name in _calls(source):
        receiver, _, method = name.rpartition(".")
        is_loop = receiver.endswith(("loop", "loop()"))
        if method == "ensure_future" or (method == "create_task" and (receiver == "asyncio" or is_loop)):
            yield complain(source, call, f"{name}() outside {STARTS_TASKS}: use Tasks.start or a TaskGroup")


def nothing_sleeps_in_a_thread(source: Source) -> Iterator[Complaint]:
    if source.path == MAY_PAUSE:
        return
    for call, name in _calls(source):
        if name == "time.sleep":
            yield complain(source, call, "time.sleep() stops the loop; await a condition")


def only_the_command_line_prints(source: Source) -> Iterator[Complaint]:
    if source.path.startswith(MAY_PRINT):
        return
    for call, name in _calls(source):
        if name in {"print", "builtins.print"}:
            yield complain(source, call, "print() outside the command line: log it, or post a notice")


def times_have_zones(source: Source) -> Iterator[Complaint]:
    for call, name in _calls(source):
        owner, _, method = name.rpartition(".")
        if owner.rpartition(".")[2] not in {"datetime", "date"}:
            continue
        keywords = {keyword.arg for keyword in call.keywords}
        is_naive = (
            method in {"utcnow", "utcfromtimestamp", "today"}
            or (method == "now" and not call.args and "tz" not in keywords)
            or (method == "fromtimestamp" and len(call.args) < 2 and "tz" not in keywords)
        )
        if is_naive:
            yield complain(source, call, f"{name}() without a time zone")


def the_domain_asks_no_clock(source: Source) -> Iterator[Complaint]:
    """The time is a parameter of the domain, so that every moment can be tested."""
    if source.package != "domain":
        return
    clocks = words("time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns")
    for call, name in _calls(source):
        if name in clocks or name.endswith(("datetime.now", "datetime.today", "date.today")):
            yield complain(source, call, f"the domain must not ask the clock: {name}()")


def no_swallowed_exceptions(source: Source) -> Iterator[Complaint]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler) or not all(isinstance(line, ast.Pass) for line in node.body):
            continue
        caught = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
        if any(kind is None or dotted(kind) in {"Exception", "BaseException"} for kind in caught):
            yield complain(source, node, "every exception is swallowed here")


# --- size ---


def modules_and_classes_are_short(source: Source) -> Iterator[Complaint]:
    if EXCUSE in (ast.get_docstring(source.tree) or ""):
        return
    if (lines := len(source.text.splitlines())) > MAX_MODULE_LINES:
        yield complain(source, source.tree, f"{lines} lines, {MAX_MODULE_LINES} allowed (or “{EXCUSE} …”)")
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef) or EXCUSE in (ast.get_docstring(node) or ""):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_CLASS_LINES:
            yield complain(source, node, f"class {node.name} has {lines} lines, {MAX_CLASS_LINES} allowed")


def modules_say_what_they_are_for(source: Source) -> Iterator[Complaint]:
    if source.tree.body and not ast.get_docstring(source.tree):
        yield complain(source, source.tree, "the module has no docstring")
