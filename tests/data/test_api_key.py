"""Where the key comes from, and that it goes nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from desktop.data import api_key
from desktop.data.api_key import ApiKeys, KeySource, clean_key
from desktop.domain.errors import BadInput, CacheError

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]
TYPED, MASSIVE, POLYGON, STORED = (f"{name}-key-0123456789" for name in ("typed", "massive", "polygon", "stored"))


class MemoryKeyring:
    """A backend that keeps its secrets in this process."""

    name = "memory"

    def __init__(self, stored: str | None = None) -> None:
        self.stored = {} if stored is None else {(api_key.SERVICE, api_key.USER): stored}
        self.threads: set[str] = set()

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.add(threading.current_thread().name)
        return self.stored.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.stored[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.stored[service, username]


class FailingKeyring(MemoryKeyring):
    """Fails with the key in its message, as the worst of them might."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError(f"no {STORED}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")


def keys(backend: MemoryKeyring | None = None, timeout_s: float = 5.0, **environ: str) -> ApiKeys:
    return ApiKeys(environ=environ, find_backend=lambda: backend, timeout_s=timeout_s)


@pytest.mark.parametrize("text", [TYPED, f"  {TYPED}\n", f'"{TYPED}"', f"'{TYPED}' "])
def test_a_pasted_key_is_stripped(text: str) -> None:
    assert clean_key(text) == TYPED


@pytest.mark.parametrize("text", ["", "  \n", "short", "x" * 129, TYPED + "\n" + TYPED, TYPED + "ß", "a b" * 10])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        clean_key(text)
    assert not text.strip() or text.strip() not in repr(caught.value)


def test_the_strongest_source_wins(run_async: RunAsync) -> None:
    async def scenario() -> None:
        backend = MemoryKeyring(STORED)
        both = {"MASSIVE_API_KEY": MASSIVE, "POLYGON_API_KEY": POLYGON}
        subject = keys(backend, **both)
        subject.use_for_this_run(TYPED)
        found = await subject.load()
        assert (found.key, found.source) == (TYPED, KeySource.TYPED)
        found = await keys(backend, **both).load()
        assert (found.key, found.source) == (MASSIVE, KeySource.ENV_MASSIVE)
        found = await keys(backend, POLYGON_API_KEY=POLYGON).load()
        assert (found.key, found.source) == (POLYGON, KeySource.ENV_POLYGON)
        found = await keys(backend).load()
        assert (found.key, found.source) == (STORED, KeySource.KEYRING)
        found = await keys(MemoryKeyring()).load()
        assert (found.key, found.source, found.sentence) == (None, KeySource.NONE, None)

    run_async(scenario())


def test_a_variable_that_holds_no_key_is_passed_over_with_a_sentence(run_async: RunAsync) -> None:
    async def scenario() -> None:
        found = await keys(MemoryKeyring(STORED), MASSIVE_API_KEY="oops").load()
        assert (found.key, found.source) == (STORED, KeySource.KEYRING)
        assert found.sentence == "The variable MASSIVE_API_KEY does not hold an API key."

    run_async(scenario())


def test_remember_and_forget(run_async: RunAsync) -> None:
    async def scenario() -> None:
        backend = MemoryKeyring()
        subject = keys(backend)
        assert subject.keyring_name() is None
        await subject.remember(TYPED)
        assert subject.keyring_name() == "memory"
        assert (await subject.load()).source is KeySource.KEYRING
        assert (await keys(backend).load()).key == TYPED
        await subject.forget()
        assert (await subject.load()).key is None
        assert backend.stored == {}
        await subject.forget()

    run_async(scenario())


def test_a_saved_key_is_in_use_even_where_a_variable_is_set(run_async: RunAsync) -> None:
    async def scenario() -> None:
        subject = keys(MemoryKeyring(), MASSIVE_API_KEY=MASSIVE)
        await subject.remember(TYPED)
        assert (await subject.load()).key == TYPED
        await subject.forget()
        assert (await subject.load()).key == MASSIVE

    run_async(scenario())


def test_the_name_is_known_after_loading_from_elsewhere(run_async: RunAsync) -> None:
    async def scenario() -> None:
        subject = keys(MemoryKeyring(), MASSIVE_API_KEY=MASSIVE)
        await subject.load()
        assert subject.keyring_name() == "memory"

    run_async(scenario())


def test_a_failing_keyring_gives_sentences_without_the_key(run_async: RunAsync) -> None:
    async def scenario() -> None:
        subject = keys(FailingKeyring())
        found = await subject.load()
        assert (found.key, found.source, found.sentence) == (None, KeySource.NONE, "The keyring failed (RuntimeError).")
        with pytest.raises(CacheError) as caught:
            await subject.remember(TYPED)
        assert TYPED not in repr(caught.value) + str(caught.value)
        assert caught.value.__cause__ is None

    run_async(scenario())


def test_without_a_keyring_nothing_is_stored(run_async: RunAsync) -> None:
    async def scenario() -> None:
        with pytest.raises(CacheError, match="no keyring"):
            await keys(None).remember(TYPED)

    run_async(scenario())


def test_the_keyring_can_be_switched_off(run_async: RunAsync) -> None:
    async def scenario() -> None:
        subject = keys(MemoryKeyring(STORED), CANDELABRA_NO_KEYRING="1")
        assert (await subject.load()).source is KeySource.NONE
        assert subject.keyring_name() is None

    run_async(scenario())


def test_a_keyring_that_hangs_is_given_up_and_stops_nobody(run_async: RunAsync) -> None:
    release = threading.Event()

    class Hanging(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            release.wait()
            return None

    async def scenario() -> None:
        found = await keys(Hanging(), timeout_s=0.05).load()
        assert found.sentence == "The keyring did not answer within 0.05 s."

    try:
        run_async(scenario())
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "keyring")
    finally:
        release.set()


def test_the_keyring_is_asked_on_a_thread_of_its_own(run_async: RunAsync) -> None:
    async def scenario() -> None:
        backend = MemoryKeyring(STORED)
        await keys(backend).load()
        assert backend.threads == {"keyring"}

    run_async(scenario())


def test_a_key_shows_in_no_repr(run_async: RunAsync) -> None:
    async def scenario() -> None:
        subject = keys(None)
        subject.use_for_this_run(TYPED)
        assert TYPED not in repr(await subject.load()) + repr(subject)

    run_async(scenario())


def test_only_trusted_backends_are_considered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    backend = api_key.find_keyring()
    assert backend is None or type(backend).__module__ in dict(api_key._BACKENDS)


REAL = """
import asyncio, sys
from desktop.data.api_key import ApiKeys
async def main():
    keys = ApiKeys(environ={})
    assert (await keys.load()).key is None, await keys.load()
    assert keys.keyring_name(), "no keyring found"
    await keys.remember(sys.argv[1])
    assert (await ApiKeys(environ={}).load()).key == sys.argv[1]
    await keys.forget()
    assert (await ApiKeys(environ={}).load()).key is None
    print(keys.keyring_name())
asyncio.run(main())
"""


@pytest.mark.skipif(
    not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")), reason="no gnome-keyring here"
)
def test_a_real_keyring(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DBUS_", "CANDELABRA_"))}
    environment |= {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    tmp_path.chmod(0o700)
    unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
    script = f'{unlock}; exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script, sys.executable, REAL, TYPED],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SecretService" in done.stdout
