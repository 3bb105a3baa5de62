"""What a scan of the inbox does with each kind of file, and where the file is afterwards."""

import errno
import gzip
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from imports import inbox, inboxbytes, inboxfolders
from imports.growing import QUIET
from imports.inbox import Scan, scan
from imports.inboxfolders import Folders, InboxUnusable, has_work
from imports.models import ImportExecutionLog
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import Status
from imports.storing import receive
from tests.conftest import TakeIn, file_of, fill
from tests.test_backup import sealed, trade
from trades.models import Trade

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = (fill(ID=f"exec-{number}") for number in (1, 2, 3))
GOOD = file_of(ONE)
PARTIAL = file_of(ONE, fill(ID="exec-2", Quantity="abc"))
FAILED = "no,format\r\n1,2\r\n"
TODAYS = f"{datetime(2026, 1, 5):%Y-%m-%d}.csv"


@pytest.fixture(autouse=True)
def root(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the inbox; scans look twice without a pause, and tell all they do."""
    settings.TRADELOG_INBOX_DIR = tmp_path
    monkeypatch.setattr(inbox, "LOOKS_APART", 0)
    monkeypatch.setattr(timezone, "localdate", local_day)
    # As if a worker took every import at once.
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: run_import(log.pk))
    logging.getLogger("imports.inbox").setLevel(logging.DEBUG)
    Folders()
    return tmp_path


today = [datetime(2026, 1, 5).date()]


def local_day(moment: datetime | None = None) -> object:
    """The day of the installation, which a test may turn over."""
    return timezone.localtime(moment).date() if moment else today[0]


@pytest.fixture(autouse=True)
def fifth_of_january() -> None:
    today[0] = datetime(2026, 1, 5).date()


@pytest.fixture
def drop(root: Path) -> Callable[..., Path]:
    """Put a file into the inbox."""

    def put(content: str | bytes = GOOD, name: str = "fills.csv", age: int = 0) -> Path:
        path = root / "inbox" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (path.stat().st_mtime - age,) * 2)
        return path

    return put


Drop = Callable[..., Path]


def files(root: Path) -> list[str]:
    """All that is in the four folders."""
    folders = ("inbox", "processing", "archive", "error")
    paths = [path for folder in folders for path in (root / folder).rglob("*")]
    return sorted(str(path.relative_to(root)) for path in paths if not path.is_dir())


def month() -> str:
    return f"archive/{timezone.localtime():%Y-%m}"


def logs() -> list[ImportExecutionLog]:
    return [*ImportExecutionLog.objects.order_by("id")]


# --- Taking


def test_a_file_is_taken_in_and_archived(root: Path, drop: Drop) -> None:
    drop()
    assert scan("schedule") == Scan(taken=1, archived=1)
    assert files(root) == [f"{month()}/fills.csv"]
    assert [log.status for log in logs()] == [Status.SUCCESS]
    assert Trade.objects.count() == 1


def test_there_is_work_for_a_scan_while_files_wait_or_are_in_processing(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "inbox" / "notes.pdf").touch()
    assert not has_work()
    drop()
    assert has_work()
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: None)
    scan("schedule")
    assert [*map(os.path.dirname, files(root))] == ["inbox", "processing"]
    assert has_work()
    run_import(logs()[0].pk)
    assert scan("schedule") == Scan(archived=1)
    assert not has_work()


def test_an_inbox_that_cannot_be_used_is_work_for_a_scan(settings: object, root: Path) -> None:
    settings.TRADELOG_INBOX_DIR = root / "file"
    (root / "file").touch()
    assert has_work()


def test_a_scan_in_json() -> None:
    counts = {"taken": 2, "known": 0, "waiting": 0, "archived": 0, "failed": 0}
    assert Scan(taken=2).as_json() == counts


def test_an_empty_inbox_ends_the_scan_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox.time, "sleep", None)
    assert scan("schedule") == Scan()


def test_the_import_has_the_batch_id_of_the_claim(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop()
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: None)
    scan("schedule")
    assert files(root) == [f"processing/{logs()[0].import_batch_id}--fills.csv"]


def test_a_file_stays_in_processing_until_its_import_has_ended(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop()
    asked = []
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: asked.append((log, trigger)))
    assert scan("schedule") == Scan(taken=1)
    assert scan("schedule") == Scan()
    assert asked == [(logs()[0], "schedule")]
    run_import(logs()[0].pk)
    assert scan("schedule") == Scan(archived=1)
    assert files(root) == [f"{month()}/fills.csv"]


@pytest.mark.parametrize("content", [FAILED, "", b"\x00\x01\x02\n", "undefined"])
def test_a_file_that_fails_goes_to_error(root: Path, drop: Drop, content: str | bytes) -> None:
    drop(content, age=600)
    assert scan("schedule") == Scan(taken=1, failed=1)
    assert files(root) == ["error/fills.csv"]
    assert [log.status for log in logs()] == [Status.FAILED]


def test_a_partial_import_is_archived(root: Path, drop: Drop) -> None:
    drop(PARTIAL)
    scan("schedule")
    assert files(root) == [f"{month()}/fills.csv"]
    assert logs()[0].status == Status.PARTIAL


@pytest.mark.parametrize(
    ("status", "folder"),
    [(Status.CANCELLED, "error"), (Status.ROLLED_BACK, "archive"), (Status.ROLLING_BACK, None)],
)
def test_where_a_file_goes_is_said_by_its_import(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, status: str, folder: str | None
) -> None:
    drop()
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: None)
    scan("schedule")
    ImportExecutionLog.objects.update(status=status)
    scan("schedule")
    assert files(root)[0].startswith(folder or "processing")


def test_the_month_is_that_of_taking(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    settings.TIME_ZONE = "America/Chicago"
    drop()
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: run_import(log.pk))
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 1, 1, tzinfo=UTC))
    scan("schedule")
    assert files(root) == ["archive/2026-02/fills.csv"]


def test_names_in_the_archive_never_collide(root: Path, drop: Drop) -> None:
    for line in (ONE, TWO, THREE):
        drop(file_of(line))
        scan("schedule")
    names = ["fills (2).csv", "fills (3).csv", "fills.csv"]
    assert files(root) == [f"{month()}/{name}" for name in names]
    assert (root / month() / "fills (2).csv").read_text() == file_of(TWO).replace("\r\n", "\n")


def test_names_collide_no_more_where_there_are_no_links(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(inboxfolders.os, "link", no_links)
    for line in (ONE, TWO):
        drop(file_of(line))
        scan("schedule")
    assert files(root) == [f"{month()}/fills (2).csv", f"{month()}/fills.csv"]
    assert (root / month() / "fills (2).csv").read_bytes() == file_of(TWO).encode()


# --- Which files


def test_other_files_are_left_and_named(
    root: Path, drop: Drop, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.png", "b.csv.part", "c.csv.crdownload", "d.tmp", "~$e.csv", "f.csv~", ".g.csv"):
        drop(name=name)
    (root / "inbox" / "folder.csv").mkdir()
    (root / "secret").write_text(GOOD)
    (root / "inbox" / "link.csv").symlink_to(root / "secret")
    os.mkfifo(root / "inbox" / "pipe.csv")
    assert scan("schedule") == Scan()
    assert len(os.listdir(root / "inbox")) == 10
    assert [record.getMessage() for record in caplog.records] == [
        "Left alone in inbox: a.png, b.csv.part, c.csv.crdownload, d.tmp, f.csv~, folder.csv, "
        "link.csv, pipe.csv, ~$e.csv."
    ]


def test_other_files_in_processing_are_left_and_named(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "processing" / "mine.csv").write_text(GOOD)
    scan("schedule")
    assert "Left alone in processing: mine.csv." in caplog.text
    assert files(root) == ["processing/mine.csv"]


def test_suffixes_may_be_in_capitals(root: Path, drop: Drop) -> None:
    drop(name="A.TXT")
    scan("schedule")
    assert files(root) == [f"{month()}/A.TXT"]


NAMES = [b"x" * 251 + b".csv", "ü".encode() * 125 + b".csv", b"\xff\xfe.csv", b"a\nb\x1b[0m.csv"]
NAMES += [b"a b' \";$(x).csv", b"-rf.csv", b"%s%d.csv", "日本 (2).csv".encode()]


@pytest.mark.parametrize("content", [GOOD, FAILED])
@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(root: Path, drop: Drop, name: bytes, content: str) -> None:
    for _ in range(2):
        drop(content, os.fsdecode(name))
        scan("schedule")
    folder = "error" if content == FAILED else month()
    assert [path.rpartition("/")[0] for path in files(root)] == [folder, folder]
    assert logs()[0].file_name.endswith(".csv")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_today_will_do(root: Path, drop: Drop, name: bytes) -> None:
    name = os.fsdecode(name[-240:].replace(b".csv", b"20260105.csv"))
    drop(name=name)
    assert scan("schedule") == Scan(taken=1)
    assert scan("schedule") == Scan(waiting=1)


# --- Files that change


def between_looks(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    monkeypatch.setattr(inbox.time, "sleep", lambda _: change())


def test_a_file_that_is_still_copied_waits(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(GOOD)
    between_looks(monkeypatch, lambda: path.write_text(file_of(ONE, TWO)))
    assert scan("schedule") == Scan(waiting=1)
    assert files(root) == ["inbox/fills.csv"]
    assert not logs()


def test_a_file_that_is_replaced_waits(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(GOOD)
    other = drop(GOOD, "other.part")
    seen = path.stat()
    os.utime(other, ns=(seen.st_mtime_ns, seen.st_mtime_ns))
    between_looks(monkeypatch, lambda: other.replace(path))
    assert scan("schedule") == Scan(waiting=1)


def test_a_file_of_the_same_size_with_another_time_waits(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(GOOD)
    between_looks(monkeypatch, lambda: os.utime(path, (1, 1)))
    assert scan("schedule") == Scan(waiting=1)


def test_a_file_that_appears_between_the_looks_waits(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(GOOD)
    between_looks(monkeypatch, lambda: drop(file_of(TWO), "late.csv"))
    assert scan("schedule") == Scan(taken=1, archived=1, waiting=1)


def test_a_file_that_vanishes_is_left_out(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = drop(GOOD)
    between_looks(monkeypatch, path.unlink)
    assert scan("schedule") == Scan()
    assert not caplog.records


@pytest.mark.parametrize("moment", ["is_growing", "claim"])
def test_a_file_that_vanishes_behind_the_looks_is_left_out(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = drop(GOOD)
    place = inbox if moment == "is_growing" else inboxfolders.Folders
    first(monkeypatch, place, moment, path.unlink)
    assert scan("schedule") == Scan()
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


def first(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, deed: Callable[[], object]
) -> None:
    """Before the function is called for the first time, do something else."""
    real, done = getattr(place, name), []

    def function(*arguments: object) -> object:
        if not done:
            done.append(True)
            deed()
        return real(*arguments)

    monkeypatch.setattr(place, name, function)


def test_a_file_that_is_replaced_behind_the_looks_goes_back(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(GOOD)
    first(monkeypatch, inboxfolders.Folders, "claim", lambda: drop(file_of(ONE, TWO), age=9))
    assert scan("schedule") == Scan(waiting=1)
    assert files(root) == ["inbox/fills.csv"]
    assert scan("schedule") == Scan(taken=1, archived=1)


@pytest.mark.parametrize("more", [TWO + "\r\n", ""])
def test_a_file_written_to_while_it_is_imported_comes_in_again(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    """By one line more, or by other bytes of the same number."""
    drop(GOOD)

    def write_and_run(log: ImportExecutionLog) -> None:
        (path,) = (root / "processing").iterdir()
        path.write_bytes((GOOD + more if more else GOOD.replace("exec-1", "exec-2")).encode())
        run_import(log.pk)

    assert scan("schedule", write_and_run) == Scan(taken=1, waiting=1)
    assert files(root) == ["inbox/fills.csv"]
    today[0] = datetime(2026, 1, 6).date()
    scan("schedule")
    assert Trade.objects.count() == 2
    assert files(root) == [f"{month()}/fills.csv"]


def test_a_known_file_written_to_comes_in_again(
    root: Path, drop: Drop, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(GOOD, timezone="")
    drop(GOOD)
    path_of = lambda: next((root / "processing").iterdir())  # noqa: E731
    first(monkeypatch, inbox, "had_before", lambda: path_of().write_bytes(PARTIAL.encode()))
    assert scan("schedule") == Scan(waiting=1)
    assert files(root) == ["inbox/fills.csv"]


# --- Already done


@pytest.mark.parametrize("content", [GOOD, PARTIAL])
def test_the_same_content_is_archived_without_an_import(
    root: Path, drop: Drop, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("fills.csv", "renamed.csv"):
        drop(content, name)
        counts = scan("schedule")
    assert counts == Scan(known=1)
    assert files(root) == [f"{month()}/fills.csv", f"{month()}/renamed.csv"]
    assert len(logs()) == 1
    assert f"renamed.csv: nothing new, import {logs()[0].pk} had the same content" in caplog.text


def test_other_content_under_the_same_name_is_taken_in(drop: Drop) -> None:
    for content in (file_of(ONE), file_of(TWO)):
        drop(content)
        scan("schedule")
    assert Trade.objects.count() == 2


def test_a_file_that_failed_is_taken_in_anew(drop: Drop) -> None:
    for _ in range(2):
        drop(FAILED)
        assert scan("schedule").taken == 1
    assert len(logs()) == 2


def test_a_file_that_was_rolled_back_is_taken_in_anew(drop: Drop) -> None:
    drop()
    scan("schedule")
    roll_back(logs()[0])
    assert scan("schedule") == Scan()
    drop()
    assert scan("schedule").taken == 1
    assert Trade.objects.count() == 1


def test_a_file_whose_import_misses_trades_is_taken_in_anew(drop: Drop) -> None:
    drop(file_of(ONE))
    scan("schedule")
    drop(file_of(TWO, ONE))
    scan("schedule")
    roll_back(logs()[0])
    drop(file_of(TWO, ONE), "again.csv")
    assert scan("schedule").taken == 1
    assert Trade.objects.count() == 2


@pytest.mark.parametrize("wish", [{"account": "Other"}, {"timezone": "Asia/Tokyo"}])
def test_an_import_with_other_wishes_is_not_the_same(
    drop: Drop, take_in: TakeIn, wish: dict[str, str]
) -> None:
    take_in(GOOD, **{"timezone": ""} | wish)
    drop(GOOD)
    assert scan("schedule").taken == 1


def test_a_header_alone_decides_nothing(drop: Drop) -> None:
    for name in ("fills.csv", TODAYS):
        drop(file_of(), name)
        assert scan("schedule").taken == 1
    drop(file_of(), "fills.csv")
    assert scan("schedule") == Scan(taken=1, archived=1, waiting=1)
    drop(file_of(ONE), "fills.csv")
    drop(file_of(TWO), TODAYS)
    assert scan("schedule") == Scan(taken=2, archived=1)
    assert Trade.objects.count() == 2


# --- Growing files


def test_the_file_of_today_is_taken_in_and_stays(root: Path, drop: Drop) -> None:
    drop(file_of(ONE), TODAYS)
    assert scan("schedule") == Scan(taken=1)
    assert scan("schedule") == Scan(waiting=1)
    drop(file_of(ONE, TWO) + THREE, TODAYS)
    assert scan("schedule") == Scan(taken=1)
    assert Trade.objects.count() == 2
    assert [log.skipped_rows for log in logs()] == [0, 1]
    assert files(root) == [f"inbox/{TODAYS}"]


def test_when_its_day_is_over_the_file_is_taken_whole(root: Path, drop: Drop) -> None:
    drop(file_of(ONE, TWO) + THREE, TODAYS, age=600)
    scan("schedule")
    assert Trade.objects.count() == 2
    today[0] = datetime(2026, 1, 6).date()
    assert scan("schedule") == Scan(taken=1, archived=1)
    assert Trade.objects.count() == 3
    assert files(root) == [f"{month()}/{TODAYS}"]


def test_when_its_day_is_over_and_nothing_is_new_it_is_archived(root: Path, drop: Drop) -> None:
    drop(file_of(ONE, TWO), TODAYS)
    scan("schedule")
    today[0] = datetime(2026, 1, 6).date()
    assert scan("schedule") == Scan(known=1)
    assert files(root) == [f"{month()}/{TODAYS}"]


@pytest.mark.parametrize("content", [PARTIAL, FAILED])
def test_a_lasting_bad_line_does_not_come_in_again(drop: Drop, content: str) -> None:
    drop(content, TODAYS)
    scan("schedule")
    assert scan("schedule") == Scan(waiting=1)
    assert len(logs()) == 1


def test_a_rolled_back_import_of_today_does_not_come_in_again(drop: Drop) -> None:
    drop(GOOD, TODAYS)
    scan("schedule")
    roll_back(logs()[0])
    assert scan("schedule") == Scan(waiting=1)
    assert not Trade.objects.exists()


def test_an_unfinished_line_waits_until_the_file_has_rested(root: Path, drop: Drop) -> None:
    drop(file_of(ONE) + TWO)
    assert scan("schedule") == Scan(taken=1)
    assert scan("schedule") == Scan(waiting=1)
    assert Trade.objects.count() == 1
    drop(file_of(ONE) + TWO, age=600)
    assert scan("schedule") == Scan(taken=1, archived=1)
    assert Trade.objects.count() == 2
    assert files(root) == [f"{month()}/fills.csv"]


def test_a_file_without_a_whole_line_waits(root: Path, drop: Drop) -> None:
    drop(GOOD[:20])
    assert scan("schedule") == Scan(waiting=1)
    assert not logs()


def test_a_file_that_has_grown_is_taken_in_and_stays_for_its_day(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    today[0] = timezone.localtime().date()
    drop(file_of(ONE))
    scan("schedule")
    drop(file_of(ONE, TWO))
    assert scan("schedule") == Scan(taken=1)
    assert scan("schedule") == Scan(waiting=1)
    assert Trade.objects.count() == 2
    today[0] = datetime(2099, 1, 1).date()
    assert scan("schedule") == Scan(known=1)


def test_too_large_a_file_of_today_fails_once(root: Path, drop: Drop, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    drop(GOOD, TODAYS)
    assert scan("schedule") == Scan(failed=1)
    assert files(root) == [f"error/{TODAYS}"]
    assert "larger than 0 MB" in logs()[0].error_summary


# --- What the system refuses


def refusing(number: int) -> Callable[..., object]:
    def refuse(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("name", ["fills.csv", TODAYS])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_on_a_full_disk_the_file_stays_for_the_next_scan(
    root: Path, drop: Drop, name: str, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    drop(GOOD, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imports.storing.os.fsync", refusing(number))
        for _ in range(2):
            assert scan("schedule") == Scan(failed=1)
    assert os.strerror(number) in caplog.text
    assert files(root) == [f"inbox/{name}"]
    assert not logs()
    assert scan("schedule").taken == 1


@pytest.mark.parametrize("name", ["fills.csv", TODAYS])
def test_an_unreadable_file_fails_once(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The tests may run as root, who may read all; so the refusal is made up."""
    drop(GOOD, name)
    for place in (inbox, inboxbytes):
        monkeypatch.setattr(place, "open_file", refusing(errno.EACCES))
    assert scan("schedule") == Scan(failed=1)
    assert scan("schedule") == Scan()
    assert files(root) == [f"error/{name}"]
    assert [log.status for log in logs()] == [Status.FAILED]
    assert "Permission denied" in logs()[0].error_summary


def test_a_file_that_cannot_be_moved_is_told_with_each_scan(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drop(GOOD)
    monkeypatch.setattr(inboxfolders.os, "rename", refusing(errno.EACCES))
    for times in (1, 2):
        assert scan("schedule") == Scan(failed=1)
        assert len(caplog.records) == times
    assert not logs()
    assert files(root) == ["inbox/fills.csv"]


def test_one_bad_file_stops_no_other(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(GOOD, "a.csv")
    drop(file_of(TWO), "b.csv")
    real = os.rename
    monkeypatch.setattr(
        inboxfolders.os,
        "rename",
        lambda old, new: refusing(errno.EIO)() if "a.csv" in str(old) else real(old, new),
    )
    assert scan("schedule") == Scan(failed=1, taken=1, archived=1)


def test_too_large_a_file_fails(root: Path, drop: Drop, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    drop(GOOD)
    assert scan("schedule") == Scan(failed=1)
    assert files(root) == ["error/fills.csv"]
    assert "larger than 0 MB" in logs()[0].error_summary


@pytest.mark.parametrize("call", ["rename", "link"])
def test_folders_on_different_file_systems_are_told(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    drop(GOOD)
    monkeypatch.setattr(inboxfolders.os, call, refusing(errno.EXDEV))
    with pytest.raises(InboxUnusable, match="are on different file systems"):
        scan("schedule")


def test_a_folder_that_cannot_be_made_is_told(root: Path, settings: object) -> None:
    (root / "file").write_text("")
    settings.TRADELOG_INBOX_DIR = root / "file"
    with pytest.raises(InboxUnusable, match="inbox cannot be used .*TRADELOG_INBOX_DIR"):
        scan("schedule")


# --- What an earlier scan has left behind


def claimed(root: Path, drop: Drop) -> None:
    """As if the process had died behind the rename."""
    drop()
    Folders().claim("fills.csv")


def test_a_claimed_file_without_import_is_taken_in(root: Path, drop: Drop) -> None:
    claimed(root, drop)
    (path,) = (root / "processing").iterdir()
    assert scan("schedule") == Scan(taken=1, archived=1)
    assert path.name == f"{logs()[0].import_batch_id}--fills.csv"
    assert files(root) == [f"{month()}/fills.csv"]


def test_who_is_slower_with_a_claimed_file_leaves_quietly(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    claimed(root, drop)
    first(monkeypatch, inbox, "queued", lambda: scan("schedule"))
    assert scan("schedule") == Scan()
    assert len(logs()) == 1
    assert files(root) == [f"{month()}/fills.csv"]
    assert "WARNING" not in caplog.text


def test_who_is_slower_with_a_growing_file_leaves_quietly(
    root: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drop(GOOD, TODAYS)
    first(monkeypatch, inbox, "queued", lambda: scan("schedule"))
    assert scan("schedule") == Scan()
    assert len(logs()) == 1
    assert "WARNING" not in caplog.text


@pytest.mark.parametrize("name", ["fills.csv", TODAYS])
def test_an_import_that_nobody_works_on_is_finished_here(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drop(GOOD, name)
    scan("schedule", lambda log: None)
    assert logs()[0].status == Status.QUEUED
    scan("schedule", lambda log: run_import(log.pk))
    assert [log.status for log in logs()] == [Status.SUCCESS]


def test_with_a_queue_the_queue_goes_on(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    drop()
    rung = []
    monkeypatch.setattr(inbox, "start_import", lambda log, trigger: rung.append(log))
    scan("schedule")
    scan("schedule")
    assert len(rung) == 1


def test_a_file_that_was_moved_in_half_is_moved_once(root: Path, drop: Drop) -> None:
    drop()
    scan("schedule", lambda log: None)
    run_import(logs()[0].pk)
    (path,) = (root / "processing").iterdir()
    (root / month()).mkdir()
    os.link(path, root / month() / "fills.csv")
    scan("schedule")
    assert files(root) == [f"{month()}/fills.csv"]


def test_a_file_whose_import_was_stopped_is_in_the_inbox_again(root: Path, drop: Drop) -> None:
    def interrupted(log: ImportExecutionLog) -> None:
        raise KeyboardInterrupt

    drop()
    with pytest.raises(KeyboardInterrupt):
        scan("command", interrupted)
    assert files(root) == ["inbox/fills.csv"]


def test_an_upload_of_the_same_name_is_no_scan(drop: Drop, take_in: TakeIn) -> None:
    path = drop(GOOD, TODAYS)
    with path.open("rb") as source:
        run_import(receive(source, TODAYS).pk)
    assert scan("schedule") == Scan(waiting=1)


# --- Backups


BACKUPS = ["all.jsonl", "all.jsonl.gz", "trades-2026-01-05.JSONL.gz", "all.jsonl (2).gz"]


def backup(name: str) -> bytes:
    content = sealed(trade(), trade=1)
    return gzip.compress(content) if name.endswith("gz") else content


@pytest.mark.parametrize("name", BACKUPS)
def test_a_backup_is_brought_back_whatever_day_its_name_says(
    root: Path, drop: Drop, name: str
) -> None:
    drop(backup(name), name)
    scan("schedule")
    assert files(root) == [f"{month()}/{name}"]
    assert [(log.status, log.import_type) for log in logs()] == [(Status.SUCCESS, "backup")]


def test_a_backup_that_was_had_before_is_archived(root: Path, drop: Drop) -> None:
    for name in ("all.jsonl", "again.jsonl"):
        drop(backup(name), name)
        counts = scan("schedule")
    assert counts == Scan(known=1)
    assert len(logs()) == 1


@pytest.mark.parametrize("name", BACKUPS[:2])
def test_half_a_backup_waits_for_its_other_half(root: Path, drop: Drop, name: str) -> None:
    drop(backup(name)[:-20], name)
    assert scan("schedule") == Scan(waiting=1)
    assert files(root) == [f"inbox/{name}"]
    drop(backup(name), name)
    assert scan("schedule") == Scan(taken=1, archived=1)


def test_half_a_backup_that_has_rested_is_an_error(root: Path, drop: Drop) -> None:
    drop(backup("all.jsonl")[:-20], "all.jsonl", age=QUIET.seconds)
    scan("schedule")
    assert files(root) == ["error/all.jsonl"]
    assert "is not whole" in logs()[0].error_summary
