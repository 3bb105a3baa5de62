"""Chunks that a process of its own reads ahead."""

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import repeat
from pathlib import Path

import pytest

from imports import apart, gathering, running
from imports.apart import Apart, ReaderGone
from imports.body import Body
from imports.chunks import Chunk, ChunkReader
from imports.models import ImportedExecution, ImportRowLog
from imports.problems import FileError
from imports.running import run_import
from imports.states import Status
from imports.storing import Wishes, receive
from tests.conftest import EXAMPLES, ZONE, file_of, fill
from tests.processes import PATIENCE
from trades.models import Trade

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Forks are for Linux alone.")
LINES = file_of(*[fill(ID=f"exec-{number}") for number in range(10)])


def test_all_things_come_in_their_order() -> None:
    with closing(Apart(iter("abc"))) as things:
        assert list(things) == ["a", "b", "c"]


def test_some_are_made_before_anybody_listens() -> None:
    with closing(Apart(iter("abc"))) as things:
        coming = iter(things)
        assert [next(coming) for _ in "abc" if is_there_soon(things)] == ["a", "b", "c"]
        assert things.pipe.poll(PATIENCE)
        assert not things.is_there()
        assert list(coming) == []


def is_there_soon(things: Apart) -> bool:
    assert things.pipe.poll(PATIENCE)
    return things.is_there()


def test_many_and_long_ones_wait_for_who_is_late() -> None:
    long = [character * (2 << 20) for character in "abcdefghijklmnopqrst"]
    with closing(Apart(iter(long))) as things:
        time.sleep(0.2)
        assert list(things) == long


def test_an_error_waits_for_who_asks_for_it() -> None:
    def reading() -> Iterator[str]:
        yield "a"
        raise OSError("disk gone")

    with closing(Apart(reading())) as things:
        coming = iter(things)
        assert is_there_soon(things)
        assert next(coming) == "a"
        assert not is_there_soon(things)
        with pytest.raises(OSError, match="disk gone"):
            next(coming)


def test_an_error_is_raised_behind_what_came_before_and_tells_where_it_was() -> None:
    def reading() -> Iterator[str]:
        yield "a"
        raise OSError("disk gone")

    with closing(Apart(reading())) as things:
        coming = iter(things)
        assert next(coming) == "a"
        with pytest.raises(OSError, match="disk gone") as raised:
            next(coming)
    assert "in reading" in raised.value.__notes__[0]


def test_who_leaves_in_the_middle_leaves_no_process() -> None:
    with closing(Apart(iter("abc"))) as things:
        next(iter(things))
        os.kill(things.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(things.pid, 0)


def test_who_is_killed_leaves_no_process() -> None:
    ours, theirs = os.pipe()
    parent = os.fork()
    if not parent:
        try:
            os.write(theirs, str(Apart(repeat("x" * 10_000_000)).pid).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    os.close(theirs)
    reader = int(os.read(ours, 20))
    os.close(ours)
    end = time.monotonic() + PATIENCE
    while is_running(reader):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status  # where nobody collects the dead


def test_a_reader_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.2)

    def reading() -> Iterator[str]:
        signal.pause()
        yield "never"

    with closing(Apart(reading())) as things, pytest.raises(ReaderGone, match="stands still"):
        list(things)


@pytest.fixture
def from_few_lines_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 3)
    monkeypatch.setattr(running, "PART", 2)
    monkeypatch.setattr(gathering, "PART", 2)
    monkeypatch.setattr(gathering, "WORTH", 4)


@pytest.mark.django_db
@pytest.mark.usefixtures("from_few_lines_on")
@pytest.mark.parametrize("name", ["ninjatrader-bad-lines.csv", "ninjatrader-eu.csv"])
def test_an_import_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, known = bring(name), bring(name)
    Trade.objects.all().delete()
    ImportedExecution.objects.all().delete()
    monkeypatch.setattr(gathering, "WORTH", 1_000)
    assert [first, known] == [bring(name), bring(name)]


def bring(name: str) -> list[tuple]:
    """Import it; what became of each line."""
    with (EXAMPLES / name).open("rb") as file:
        log = run_import(receive(file, name, Wishes(timezone=ZONE)).pk)
    rows = ImportRowLog.objects.filter(import_log=log).order_by("row_number")
    return list(rows.values_list("row_number", "status", "raw_row_data", "error_category"))


@pytest.mark.django_db
@pytest.mark.usefixtures("from_few_lines_on")
def test_an_import_goes_on_when_its_reader_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = receive(io.BytesIO(LINES.encode()), "fills.csv", Wishes(timezone=ZONE))
    with monkeypatch.context() as patch:
        patch.setattr(ChunkReader, "parts", killed_after_the_fourth)
        with pytest.raises(ReaderGone, match="has ended"):
            run_import(log.pk)
    log.refresh_from_db()
    assert (log.status, log.owner) == (Status.RUNNING, "")
    assert log.cursor == 6  # what is not a whole chunk yet is read again
    log = run_import(log.pk)
    assert (log.status, log.success_rows) == (Status.SUCCESS, 10)


def killed_after_the_fourth(reader: ChunkReader, body: Body, most: int) -> Iterator[Chunk]:
    for _ in range(4):
        yield reader.read(body.take(most))
    time.sleep(1)  # for the thread that sends them
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.django_db
@pytest.mark.usefixtures("from_few_lines_on")
def test_a_file_that_is_gone_in_the_middle_fails_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def reading(*_: object) -> Iterator[None]:
        raise FileError("fills.csv has changed while it was read.")
        yield

    monkeypatch.setattr(ChunkReader, "parts", reading)
    log = receive(io.BytesIO(LINES.encode()), "fills.csv", Wishes(timezone=ZONE))
    log = run_import(log.pk)
    assert (log.status, log.error_summary) == (
        Status.FAILED,
        "fills.csv has changed while it was read.",
    )
