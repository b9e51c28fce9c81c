"""Logging to rotating files behind a queue, hooks for what nobody caught, and the file a crash leaves its stack in."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from desktop.data.redaction import Redactor
from desktop.domain.errors import CacheError

LOG_NAME: Final = "candelabra.log"
CRASH_NAME: Final = "crash.txt"
_LARGEST_BYTES = 1_000_000
_FILES = 5
_KEPT_CRASHES = 5
_QUEUED_RECORDS = 10_000
_QUIET = {
    "websockets": logging.INFO,
    "httpcore": logging.INFO,
    "httpx": logging.WARNING,
    "asyncio": logging.INFO,
    "qasync": logging.INFO,
}

_logger = logging.getLogger(__name__)


class RedactingFormatter(logging.Formatter):
    """Masks secrets in the finished text, tracebacks included. Times are UTC."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """For its owner alone; a disk that is full costs log lines, never the work that logs."""

    def _open(self) -> TextIOWrapper:
        def opener(name: str, flags: int) -> int:
            return os.open(name, flags, 0o600)

        return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=opener)

    def handleError(self, record: logging.LogRecord) -> None:
        """There is nowhere left to say it."""


class _DroppingQueue(logging.handlers.QueueHandler):
    """Loses records rather than blocking when the writer cannot keep up."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)


class Logging:
    """Running logging; `close` writes what is left and ends it."""

    def __init__(self, folder: Path, redactor: Redactor, *, level: int = logging.INFO) -> None:
        """Raises CacheError when the log file cannot be opened."""
        self.path = folder / LOG_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = _PrivateFile(self.path, maxBytes=_LARGEST_BYTES, backupCount=_FILES - 1)
        except OSError as error:
            raise CacheError(f"The log {self.path} cannot be written ({error.strerror}).") from error
        file.setFormatter(RedactingFormatter(redactor))
        records: queue.Queue[logging.LogRecord] = queue.Queue(_QUEUED_RECORDS)
        self._handler = _DroppingQueue(records)
        self._file = file
        self._listener = logging.handlers.QueueListener(records, file)
        self._listener.start()
        root = logging.getLogger()
        self._level_before = root.level
        root.addHandler(self._handler)
        root.setLevel(level)
        for name, least in _QUIET.items():  # at DEBUG, httpx at INFO: keys, addresses, every call
            logging.getLogger(name).setLevel(max(least, level))

    def close(self) -> None:
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level_before)
        self._listener.stop()
        self._handler.close()
        self._file.close()


def log_to_stderr(redactor: Redactor, *, is_verbose: bool) -> None:
    """For commands: nothing unless asked for, since their stderr is for sentences. Once a process."""
    root = logging.getLogger()
    if not is_verbose:
        root.addHandler(logging.NullHandler())  # without any handler Python would write warnings to stderr
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(redactor))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


@dataclass(frozen=True, slots=True)
class Bug:
    """An exception nobody expected. `details` is the redacted traceback, "" from the second time on."""

    title: str
    details: str
    count: int


class Hooks:
    """Reports what nobody caught: each bug in full the first time, then as a count.

    `report` may be called on any thread. Install once; `remove` puts the former hooks back.
    """

    def __init__(self, report: Callable[[Bug], None], redactor: Redactor) -> None:
        self._report = report
        self._redactor = redactor
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable

    def remove(self) -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before

    def on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """For `loop.set_exception_handler`."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.take(error, str(context.get("message", "")))
        else:
            _logger.error("event loop: %s", context.get("message"))

    def take(self, error: BaseException, where: str = "") -> None:
        """Reports one exception."""
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = (type(error).__name__, last[0].filename if last else "", last[0].lineno or 0 if last else 0)
        with self._lock:
            self._counts[place] += 1
            count = self._counts[place]
        title = self._redactor.redact(f"{type(error).__name__}: {error}"[:300])
        details = ""
        if count == 1:
            details = self._redactor.redact("".join(traceback.format_exception(error)))
            _logger.critical("unexpected: %s\n%s", where, details)
        elif len(str(count)) > len(str(count - 1)):
            _logger.critical("unexpected, %d times now: %s", count, title)
        self._report(Bug(title, details, count))

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
        else:
            self.take(error)

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            self.take(arguments.exc_value, f"thread {arguments.thread.name if arguments.thread else '?'}")

    def _on_unraisable(self, arguments: sys.UnraisableHookArgs) -> None:
        if arguments.exc_value is not None:
            self.take(arguments.exc_value, arguments.err_msg or "while cleaning up")


def install_hooks(report: Callable[[Bug], None], redactor: Redactor) -> Hooks:
    """Sets sys.excepthook, threading.excepthook and sys.unraisablehook; hand `on_loop_error` to the loop yourself."""
    return Hooks(report, redactor)


class CrashFile:
    """Where a hard crash (in Qt, say) leaves the Python stacks. A file left by the last run tells of one.

    `previous`: path of the last run's stacks, kept under a name of its own, or None when it ended well.
    """

    def __init__(self, folder: Path) -> None:
        """Raises CacheError when the file cannot be opened."""
        self._path = folder / CRASH_NAME
        self.previous: Path | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size:
                stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._path.stat().st_mtime))
                self.previous = self._path.replace(folder / f"crash-{stamp}.txt")
                for old in sorted(folder.glob("crash-*.txt"))[:-_KEPT_CRASHES]:
                    old.unlink()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        except OSError as error:
            raise CacheError(f"The crash file {self._path} cannot be written ({error.strerror}).") from error
        faulthandler.enable(self._file)

    def close(self) -> None:
        """A clean exit: removes the file."""
        faulthandler.disable()
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
