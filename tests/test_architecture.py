"""The layers and rules of docs/architecture.md, held over every module; each rule is shown to catch what it forbids."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers import architecture as rules
from tests.helpers.architecture import Complaint, Source
from tests.helpers.module_state import modules_hold_no_state

Rule = Callable[[Source], Iterator[Complaint]]

ROOT = Path(__file__).resolve().parents[1]
RULES: tuple[Rule, ...] = (
    rules.imports_point_downwards,
    rules.services_use_objects_and_signals_only,
    rules.no_nested_loops,
    rules.no_async_slots,
    rules.tasks_have_owners,
    rules.nothing_sleeps_in_a_thread,
    rules.only_the_command_line_prints,
    rules.times_have_zones,
    rules.the_domain_asks_no_clock,
    rules.no_swallowed_exceptions,
    rules.modules_and_classes_are_short,
    rules.modules_say_what_they_are_for,
    modules_hold_no_state,
)
LONG_CLASS = "class A:\n" + "    a = 1\n" * 250

# Rule, path, text that breaks it.
BROKEN: tuple[tuple[Rule, str, str], ...] = (
    (rules.imports_point_downwards, "domain/a.py", "import asyncio"),
    (rules.imports_point_downwards, "domain/a.py", "from sqlite3 import connect"),
    (rules.imports_point_downwards, "domain/a.py", "import urllib.request"),
    (rules.imports_point_downwards, "domain/a.py", "from desktop.data.store import Store"),
    (rules.imports_point_downwards, "domain/a.py", "from desktop import data"),
    (rules.imports_point_downwards, "domain/a.py", "from ..data import store"),
    (rules.imports_point_downwards, "domain/a.py", "import talib"),
    (rules.imports_point_downwards, "domain/a.py", "def f():\n    import httpx"),
    (rules.imports_point_downwards, "data/a.py", "from PySide6.QtCore import QObject"),
    (rules.imports_point_downwards, "data/a.py", "import desktop.services.tasks"),
    (rules.imports_point_downwards, "data/a.py", "if TYPE_CHECKING:\n    from desktop.services.tasks import Tasks"),
    (rules.imports_point_downwards, "services/a.py", "from PySide6.QtWidgets import QWidget"),
    (rules.imports_point_downwards, "services/a.py", "from PySide6 import QtGui"),
    (rules.imports_point_downwards, "services/a.py", "import PySide6"),
    (rules.imports_point_downwards, "services/a.py", "import httpx"),
    (rules.imports_point_downwards, "ui/a.py", "from desktop.data.api_key import KeySource"),
    (rules.imports_point_downwards, "ui/chart/a.py", "from ...data import store"),
    (rules.imports_point_downwards, "ui/a.py", "import sqlite3"),
    (rules.imports_point_downwards, "demo/a.py", "from desktop.ui.theme import DARK"),
    (rules.imports_point_downwards, "demo/a.py", "import PySide6.QtCore"),
    (rules.imports_point_downwards, "commands/a.py", "import pyqtgraph"),
    (rules.imports_point_downwards, "commands/a.py", "from desktop.ui import theme"),
    (rules.imports_point_downwards, "assembly.py", "from desktop.ui import theme"),
    (rules.imports_point_downwards, "services/a.py", "from desktop.assembly import Source"),
    (rules.imports_point_downwards, "__main__.py", "from desktop.app import run"),
    (rules.imports_point_downwards, "platform_check.py", "import PySide6"),
    (rules.imports_point_downwards, "utils.py", "import os"),
    (rules.imports_point_downwards, "helpers/a.py", "import os"),
    (rules.services_use_objects_and_signals_only, "services/a.py", "from PySide6.QtCore import QTimer"),
    (rules.no_nested_loops, "ui/a.py", "dialog.exec()"),
    (rules.no_nested_loops, "ui/a.py", "QMenu(self).exec_(pos)"),
    (rules.no_nested_loops, "ui/a.py", "app.processEvents()"),
    (rules.no_nested_loops, "ui/a.py", "name, _ = QFileDialog.getSaveFileName(self)"),
    (rules.no_nested_loops, "ui/a.py", "from PySide6 import QtWidgets as w\nw.QMessageBox.warning(self, '', '')"),
    (rules.no_async_slots, "ui/a.py", "@asyncSlot()\ndef f(): ..."),
    (rules.no_async_slots, "ui/a.py", "import qasync\n@qasync.asyncClose\ndef f(): ..."),
    (rules.no_async_slots, "ui/a.py", "from qasync import asyncSlot as slot"),
    (rules.tasks_have_owners, "services/a.py", "asyncio.create_task(f())"),
    (rules.tasks_have_owners, "services/a.py", "from asyncio import create_task as go\ngo(f())"),
    (rules.tasks_have_owners, "data/a.py", "import asyncio as aio\naio.ensure_future(f())"),
    (rules.tasks_have_owners, "data/a.py", "asyncio.get_running_loop().create_task(f())"),
    (rules.tasks_have_owners, "data/a.py", "self._loop.create_task(f())"),
    (rules.nothing_sleeps_in_a_thread, "data/a.py", "import time\ntime.sleep(1)"),
    (rules.nothing_sleeps_in_a_thread, "data/a.py", "from time import sleep\nsleep(1)"),
    (rules.only_the_command_line_prints, "data/a.py", "print('here')"),
    (rules.times_have_zones, "data/a.py", "import datetime as dt\ndt.datetime.now()"),
    (rules.times_have_zones, "data/a.py", "from datetime import datetime\ndatetime.utcnow()"),
    (rules.times_have_zones, "data/a.py", "from datetime import datetime\ndatetime.fromtimestamp(0)"),
    (rules.times_have_zones, "data/a.py", "from datetime import date\ndate.today()"),
    (rules.the_domain_asks_no_clock, "domain/a.py", "import time\ntime.time()"),
    (rules.the_domain_asks_no_clock, "domain/a.py", "from time import monotonic\nmonotonic()"),
    (rules.the_domain_asks_no_clock, "domain/a.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
    (rules.no_swallowed_exceptions, "data/a.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (rules.no_swallowed_exceptions, "data/a.py", "try:\n    f()\nexcept (OSError, BaseException):\n    pass"),
    (rules.no_swallowed_exceptions, "data/a.py", "try:\n    f()\nexcept:\n    pass"),
    (rules.modules_and_classes_are_short, "data/a.py", "a = 1\n" * 401),
    (rules.modules_and_classes_are_short, "data/a.py", LONG_CLASS),
    (rules.modules_say_what_they_are_for, "data/a.py", "a = 1"),
    (modules_hold_no_state, "data/a.py", "cache = {}"),
    (modules_hold_no_state, "data/a.py", "_seen: set[str] = set()"),
    (modules_hold_no_state, "data/a.py", "import collections\nif True:\n    recent = collections.deque(maxlen=9)"),
    (modules_hold_no_state, "data/a.py", "first, second = 1, []"),
    (modules_hold_no_state, "data/a.py", "_ids = itertools.count()"),
    (modules_hold_no_state, "data/a.py", "def f():\n    global count\n    count = 1"),
    (modules_hold_no_state, "data/a.py", "SEEN = set()\ndef f(x):\n    SEEN.add(x)"),
    (modules_hold_no_state, "data/a.py", "from typing import Final\nheld: Final = {}\ndef f(x):\n    held[x] = 1"),
    (modules_hold_no_state, "data/a.py", "TOTALS = [0]\ndef f(x):\n    TOTALS[0] += 1"),
    (modules_hold_no_state, "ui/a.py", "from desktop.ui import theme\ntheme.COLOURS.update(up=1)"),
    (modules_hold_no_state, "data/a.py", "NAMES = {}\ndef f(x):\n    del NAMES[x]"),
)

# Rule, path, text that keeps it although it looks close to breaking it.
SOUND: tuple[tuple[Rule, str, str], ...] = (
    (
        rules.imports_point_downwards,
        "domain/a.py",
        "import math\nimport numpy as np\nfrom desktop.domain.bars import Bar",
    ),
    (rules.imports_point_downwards, "domain/a.py", "def f():\n    import talib"),
    (rules.imports_point_downwards, "data/a.py", "import sqlite3\nfrom desktop import __version__"),
    (rules.imports_point_downwards, "services/a.py", "from PySide6.QtCore import QObject, Signal"),
    (rules.imports_point_downwards, "ui/chart/a.py", "from . import geometry\nfrom PySide6 import QtGui"),
    (rules.imports_point_downwards, "__main__.py", "import sys\ndef main():\n    from desktop.app import run"),
    (rules.no_nested_loops, "app.py", "app.exec()\nself.application.exec()"),
    (rules.no_nested_loops, "data/a.py", "asyncio.create_subprocess_exec('x')"),
    (rules.tasks_have_owners, "services/tasks.py", "asyncio.create_task(f())"),
    (rules.tasks_have_owners, "data/a.py", "async with asyncio.TaskGroup() as group:\n    group.create_task(f())"),
    (rules.nothing_sleeps_in_a_thread, "data/a.py", "import asyncio\nasyncio.sleep(1)"),
    (rules.only_the_command_line_prints, "commands/bars.py", "print('t,o,h,l,c')"),
    (rules.times_have_zones, "data/a.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
    (rules.times_have_zones, "data/a.py", "import datetime as dt\ndt.datetime.fromtimestamp(0, tz=dt.UTC)"),
    (rules.no_swallowed_exceptions, "data/a.py", "try:\n    f()\nexcept FileNotFoundError:\n    pass"),
    (rules.modules_and_classes_are_short, "data/a.py", '"""A table. Long because it is one."""\n' + "a = 1\n" * 401),
    (modules_hold_no_state, "data/a.py", "LETTERS = {'m': 1}\n__all__ = ['f']\nALIAS = int"),
    (modules_hold_no_state, "data/a.py", "import logging\nlog = logging.getLogger(__name__)"),
    (modules_hold_no_state, "data/a.py", "from typing import Final\nletters: Final = {'m': 1}\nprint(letters['m'])"),
    (
        modules_hold_no_state,
        "data/a.py",
        "class A:\n    def f(self):\n        self.held = {}\n        self.held['a'] = 1",
    ),
)


def _wrapped(path: str, text: str) -> Source:
    return Source.parse(f"desktop/{path}", text)


def _sources() -> list[Source]:
    return [Source.read(file, ROOT) for file in sorted((ROOT / "desktop").rglob("*.py"))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    complaints = [str(complaint) for source in _sources() for complaint in rule(source)]
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_the_rule_catches(rule: Rule, path: str, text: str) -> None:
    assert list(rule(_wrapped(path, text))), inspect.getdoc(rule)


@pytest.mark.parametrize(("rule", "path", "text"), SOUND)
def test_the_rule_allows(rule: Rule, path: str, text: str) -> None:
    assert list(rule(_wrapped(path, text))) == []


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


IMPORT_ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1].split():
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), package + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
loaded = {name.split(".")[0] for name in sys.modules}
print(*sorted(loaded & set(sys.argv[2].split())))
"""


@pytest.mark.parametrize(
    ("packages", "absent"),
    [
        ("desktop.domain", "PySide6 httpx websockets sqlite3 asyncio msgspec"),
        ("desktop.data desktop.demo", "PySide6 shiboken6 pyqtgraph qasync"),
        ("desktop.services", "pyqtgraph qasync"),
        ("desktop.__main__", "PySide6 pyqtgraph numpy httpx websockets"),
    ],
)
def test_what_importing_a_layer_really_loads(packages: str, absent: str) -> None:
    """The syntax trees cannot see what a third-party package drags in."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, packages, absent], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
