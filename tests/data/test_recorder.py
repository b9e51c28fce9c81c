"""The recorder: what is said is kept as it came, secrets are not, and trouble with the disk disturbs nobody."""

from __future__ import annotations

import asyncio
import re
import resource
import stat
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.assembly import Source, open_data_layer
from desktop.data.folders import Folders
from desktop.data.recorder import Recorder, RecordingOrder
from desktop.data.recording_format import ConnectionLine, FrameLine
from desktop.demo.raw_files import RawRecording, SocketLine
from desktop.domain.errors import BadInput, CacheError
from desktop.domain.world import World
from tests.helpers.recording import contents, recording_to
from tests.services.live_desk import until
from tests.test_canary import CANARY, forms_of

NOW_MS = 1_709_251_200_000
Run = Callable[..., Any]


def ticking() -> Callable[[], int]:
    """A clock that goes on a millisecond each time it is looked at."""
    times = count(NOW_MS)
    return lambda: next(times)


def lines_of(folder: Path) -> list[SocketLine]:
    return [line for _, line in RawRecording(folder).socket_lines()]


def test_everything_comes_back_as_it_went_in(run_async: Run, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    bodies = [b"", b'{"status":"OK"}', b"x" * 5_000, bytes(range(256)), "Größe".encode() * 400]

    async def record() -> None:
        async with recording_to(folder, ticking()) as recorder:
            for number, body in enumerate(bodies):
                call = recorder.call(f"/v1/{number}", {"limit": "5", "apiKey": "never-mind-me"})
                call.answered(200, {"content-type": "application/json", "set-cookie": "secret"}, body)
            recorder.call("/v1/cut", {}).failed(ConnectionError("said aloud"))
            socket = recorder.connection("crypto")
            socket.opened()
            socket.sent('{"action":"subscribe","params":"XT.*"}')
            socket.received(b'[{"ev":"status","status":"success"}]')
            socket.received(b'[{"ev":"XT"}]')
            socket.received(b"\xff\xfe no text")
            socket.closed(1008, "policy", is_ours=False)

    run_async(record())
    recording = RawRecording(folder)
    calls = recording.calls
    assert [call.body() for call in calls[:-1]] == bodies
    assert [call.line.query for call in calls] == [(("limit", "5"),)] * len(bodies) + [()]
    assert calls[0].line.headers == {"content-type": "application/json"}
    assert (calls[-1].line.failure, calls[-1].line.status) == ("ConnectionError", None)
    assert calls[1].line.received_ms > calls[1].line.sent_ms > NOW_MS
    told = [line.kind if isinstance(line, ConnectionLine) else line.content for line in lines_of(folder)]
    assert told == ["open", "out", "status", b'[{"ev":"XT"}]', b"\xff\xfe no text", "closed"]
    facts = recording.parts[0].facts
    assert facts.world == "demo-0"
    assert facts.ended_ms is not None
    assert recording.first_ms == facts.started_ms
    assert recording.end_ms == facts.ended_ms + 1


def test_the_key_is_in_no_form_anywhere(run_async: Run, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    forms = {name: form for name, form in forms_of(CANARY).items() if name != "UTF-16"}

    async def record() -> None:
        async with recording_to(folder, ticking()) as recorder:
            recorder.hide(CANARY)
            for form in forms.values():
                call = recorder.call("/v1/" + form.decode(), {"q": form.decode()})
                call.answered(401, {"x-request-id": form.decode()}, b'{"error":"' + form + b'"}')
                recorder.call("/v1/long", {}).answered(200, {}, b"x" * (256 * 1024 - 5) + form + b"y" * 100)
            socket = recorder.connection("crypto")
            socket.opened()
            for form in forms.values():
                socket.received(b'[{"ev":"status","message":"' + form + b'"}]')
                socket.received(b'[{"ev":"XT","pair":"' + form + b'"}]')
                socket.received(b"\xff" + form)
            socket.sent('{"action":"auth","params":"' + CANARY + '"}')
            socket.closed(1000, CANARY, is_ours=False)

    run_async(record())
    assert len(RawRecording(folder).calls) == 2 * len(forms)
    for name, content in contents(folder).items():
        for form_name, form in forms.items():
            assert form.lower() not in content.lower(), f"{form_name} in {name}"


def test_a_key_that_is_only_sent_to_the_socket_is_learnt_there(run_async: Run, tmp_path: Path) -> None:
    async def record() -> None:
        async with recording_to(tmp_path / "report", ticking()) as recorder:
            socket = recorder.connection("crypto")
            socket.opened()
            socket.sent('{"action":"auth","params":"' + CANARY + '"}')
            socket.received(b'[{"ev":"status","status":"auth_failed","message":"' + CANARY.encode() + b'"}]')

    run_async(record())
    said = b"".join(contents(tmp_path / "report").values())
    assert CANARY.encode() not in said
    assert said.count(b"[key]") == 2


def test_folders_and_files_are_for_their_owner_alone(run_async: Run, tmp_path: Path) -> None:
    async def record() -> None:
        async with recording_to(tmp_path / "report", ticking()) as recorder:
            recorder.call("/v1/a", {}).answered(200, {}, b"x" * 5_000)

    (tmp_path / "report").mkdir(mode=0o755)
    run_async(record())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "report", *(tmp_path / "report").rglob("*")]}
    assert modes == {0o700, 0o600}


def test_a_folder_with_other_things_is_refused_a_recording_goes_on(run_async: Run, tmp_path: Path) -> None:
    holiday, report, file = tmp_path / "holiday", tmp_path / "report", tmp_path / "file"
    holiday.mkdir()
    (holiday / "beach.jpg").write_bytes(b"sand")
    file.write_text("no folder")

    async def attempt(folder: Path) -> None:
        async with recording_to(folder, ticking()) as recorder:
            recorder.call("/v1/a", {}).answered(200, {}, b"{}")

    with pytest.raises(BadInput, match="holds other files"):
        run_async(attempt(holiday))
    assert [path.name for path in holiday.iterdir()] == ["beach.jpg"]
    with pytest.raises(CacheError, match="Nothing can be recorded"):
        run_async(attempt(file))
    for _ in range(3):
        run_async(attempt(report))
    assert [part.number for part in RawRecording(report).parts] == [1, 2, 3]
    assert len(RawRecording(report).calls) == 3


def test_the_world_recorded_last_is_the_one(run_async: Run, tmp_path: Path) -> None:
    async def record(world: str, path: str) -> None:
        async with recording_to(tmp_path / "report", ticking(), world=world) as recorder:
            recorder.call(path, {}).answered(200, {}, b"{}")

    for world, path in (("demo-7", "/a"), ("vendor", "/b"), ("demo-7", "/c"), ("vendor", "/d")):
        run_async(record(world, path))
    assert [call.line.path for call in RawRecording(tmp_path / "report").calls] == ["/b", "/d"]


def test_at_the_size_limit_recording_stops_with_one_sentence(run_async: Run, tmp_path: Path) -> None:
    notices: list[str] = []

    async def record() -> None:
        async with recording_to(tmp_path / "report", ticking(), limit_bytes=50_000, notices=notices) as recorder:
            for number in range(1000):
                recorder.call(f"/v1/{number}", {}).answered(200, {}, number.to_bytes(4, "big") * 50)
            await until(lambda: notices, "the limit is noticed")
            recorder.call("/v1/after", {}).answered(200, {}, b"{}")

    run_async(record())
    assert notices == ["The recording has reached its size limit; nothing more is recorded."]
    recording = RawRecording(tmp_path / "report")
    assert recording.parts[0].facts.stopped == notices[0]
    assert 10 < len(recording.calls) < 1000
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 55_000
    # The limit is the folder's: a further part has no room left.
    notices.clear()
    run_async(record())
    assert len(RawRecording(tmp_path / "report").calls) < len(recording.calls) + 3


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may become larger than 20 kB: writing fails then as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_recording_and_nothing_else(run_async: Run, tmp_path: Path, small_files: None) -> None:
    notices: list[str] = []

    async def record() -> None:
        async with recording_to(tmp_path / "report", ticking(), notices=notices) as recorder:
            await fill(recorder)
            await until(lambda: notices, "the full disk is noticed")
            await fill(recorder)

    async def fill(recorder: Recorder) -> None:
        for number in range(200):
            recorder.call(f"/v1/{number}", {}).answered(200, {}, b"x" * 500)
            await asyncio.sleep(0)

    run_async(record())
    assert len(notices) == 1
    assert "cannot be written" in notices[0]
    assert 10 < len(RawRecording(tmp_path / "report").calls) < 200  # the torn last line is left out


@given(st.lists(st.binary(max_size=300), max_size=30), st.integers(0, 4_000))
@settings(max_examples=60, deadline=None)
def test_a_torn_recording_gives_what_came_before_the_tear(
    tmp_path_factory: pytest.TempPathFactory, frames: list[bytes], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("recording") / "report"

    async def record() -> None:
        async with recording_to(folder, ticking()) as recorder:
            socket = recorder.connection("crypto")
            socket.opened()
            for frame in frames:
                socket.received(frame)

    asyncio.run(record())
    plain = [frame for frame in frames if re.search(rb'"ev"\s*:\s*"status"', frame) is None]
    whole = [line.content for line in lines_of(folder) if isinstance(line, FrameLine)]
    assert whole == plain
    for name in ("frames.jsonl.gz", "connections.jsonl"):
        (file,) = folder.rglob(name)
        file.write_bytes(file.read_bytes()[: -1 - cut % file.stat().st_size])
    left = [line.content for line in lines_of(folder) if isinstance(line, FrameLine)]
    assert left == plain[: len(left)]


def test_a_world_opens_without_the_recording_that_cannot_be_written(run_async: Run, tmp_path: Path) -> None:
    """Say, the disk is full when another source is chosen: the application goes on, and says so."""
    notices: list[str] = []
    (tmp_path / "report").write_text("in the way")

    async def scenario() -> None:
        source = Source("http://127.0.0.1:9", "ws://127.0.0.1:9", CANARY, World("demo-0"))
        order = RecordingOrder(tmp_path / "report")
        async with open_data_layer(source, Folders.open(tmp_path / "data"), notices.append, order) as layer:
            assert layer.recorder is None
            assert layer.rest is not None

    run_async(scenario())
    assert len(notices) == 1
    assert notices[0].startswith(f"Nothing can be recorded in {tmp_path / 'report'}")
