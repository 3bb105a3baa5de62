"""What stays true when processes are killed in the middle of their work or get in each other's way.

All of it with real processes: kill -9, races, and a lease that somebody else has taken.
"""

import io
import os
import random
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import Status
from imports.storing import Wishes, receive
from tests.conftest import file_of, fill
from tests.processes import (
    PATIENCE,
    begin,
    drive,
    end,
    expire_lease,
    go,
    kill,
    start,
    wait_until,
    wait_until_stopped,
)
from tests.workers import drive_command
from trades.models import Trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_process_left")]

LINES = 2_000
START = datetime(2026, 1, 5, 6, 30)


def some_lines(seed: int, count: int = LINES) -> list[str]:
    """Fills of several accounts: 1 % bad, 5 % repeated, half of them without id, some twins."""
    chance = random.Random(seed)
    lines: list[str] = []
    for number in range(count):
        moment = START + timedelta(seconds=chance.randrange(60_000))
        line = fill(
            Instrument=chance.choice(["MNQ 03-26", "MES 03-26", "CL 02-26", "AAPL"]),
            Action=chance.choice(["Buy", "Sell"]),
            Quantity="none" if chance.random() < 0.01 else str(chance.randint(1, 3)),
            Time=f"{moment:%m/%d/%Y %I:%M:%S %p}",
            ID=f"exec-{number}" if number % 2 else "",
            Account=f"Sim{chance.randint(101, 105)}",
        )
        lines.append(chance.choice(lines) if lines and chance.random() < 0.05 else line)
    return lines


def queue(lines: list[str], name: str = "fills.csv") -> ImportExecutionLog:
    return receive(io.BytesIO(file_of(*lines).encode()), name, Wishes(timezone="UTC"))


def run(log: ImportExecutionLog) -> ImportExecutionLog:
    """Go on with an import whose process has died, or begin one."""
    expire_lease(log)
    return run_import(log.pk)


def all_trades() -> list[tuple]:
    columns = ("account__name", "execution_id", "instrument__symbol", "side", "quantity", "price")
    rows = Trade.objects.order_by("account__name", "execution_id")
    return list(rows.values_list(*columns, "executed_at", "import_row_log__row_number"))


def whole_truth(log: ImportExecutionLog) -> tuple:
    """All that an import leaves behind, but for ids and times."""
    log.refresh_from_db()
    state = (log.status, log.total_rows, log.success_rows, log.failed_rows, log.skipped_rows)
    more = (log.trades_created, log.cursor, log.affected_accounts, log.owner)
    rows = ImportRowLog.objects.filter(import_log=log).order_by("row_number")
    row_logs = rows.values_list("row_number", "status", "error_category", "raw_row_data")
    assert_ledger_and_trades_agree()
    return state, more, list(row_logs), all_trades()


def undisturbed(lines: list[str]) -> tuple:
    """The whole truth of these lines imported in peace; nothing of it stays."""
    log = run(queue(lines))
    assert log.total_rows == log.success_rows + log.failed_rows + log.skipped_rows == len(lines)
    assert log.failed_rows
    assert log.skipped_rows
    truth = whole_truth(log)
    roll_back(log)
    return truth


def assert_ledger_and_trades_agree() -> None:
    """Every execution once, each with its trade, and no row log that points at nothing."""
    ledger = list(ImportedExecution.objects.values_list("trade_id", flat=True))
    assert sorted(ledger) == sorted(Trade.objects.values_list("pk", flat=True))
    pointed = ImportRowLog.objects.exclude(duplicate_of=None).values_list("duplicate_of", flat=True)
    assert set(pointed) <= set(ledger)


# --- kill -9


def die_in_the_middle(verb: str, log: ImportExecutionLog, chance: random.Random) -> None:
    """Let a process do the work until it is killed before or after some SQL statement."""
    expire_lease(log)
    moment = chance.choice(["before", "after"])
    (died,) = go(drive(verb, log, die_at=chance.randint(5, 90), moment=moment))
    assert died.status == -signal.SIGKILL, died.err


@pytest.mark.parametrize("seed", range(6))
def test_an_import_killed_at_any_statement_is_completed_by_the_next(seed: int) -> None:
    lines = some_lines(seed)
    truth = undisturbed(lines)
    chance = random.Random(seed)
    log = queue(lines)
    die_in_the_middle("import", log, chance)
    die_in_the_middle("import", log, chance)
    run(log)
    assert whole_truth(log) == truth


def test_the_command_killed_in_the_middle_is_completed_by_the_next(tmp_path: Path) -> None:
    lines = some_lines(seed=9)
    truth = undisturbed(lines)
    ImportExecutionLog.objects.all().delete()
    path = tmp_path / "fills.csv"
    path.write_text(file_of(*lines), newline="")
    command = ("import_csv", str(path), "--timezone", "UTC")
    process = drive_command(*command, chunk=500, rest=PATIENCE)
    wait_until(ImportExecutionLog.objects.filter(cursor__gt=0).exists, process)
    kill(process)
    log = ImportExecutionLog.objects.get()
    assert log.status == Status.RUNNING
    run(log)
    assert whole_truth(log) == truth


def test_an_import_that_ends_every_process_is_given_up() -> None:
    log = queue(some_lines(seed=10))
    die_in_the_middle("import", log, random.Random(10))
    log.refresh_from_db()
    done = log.cursor
    for _ in range(2):
        expire_lease(log)
        (died,) = go(drive("import", log, die_at=5))  # before a chunk is written
        assert died.status == -signal.SIGKILL, died.err
    log = run(log)
    assert log.status == Status.FAILED
    assert "interrupted 3 times" in log.error_summary
    assert log.total_rows == log.cursor == log.row_logs.count() == done > 0


def test_an_import_that_gets_on_may_be_killed_often() -> None:
    lines = some_lines(seed=11)
    truth = undisturbed(lines)
    log = queue(lines)
    for _ in range(6):
        cursor = log.cursor
        expire_lease(log)
        go(drive("import", log, chunk=20, die_at=60, moment="after"))
        log.refresh_from_db()
        assert (log.status, log.owner != "", log.cursor > cursor) == (Status.RUNNING, True, True)
    assert whole_truth(run(log)) == truth


@pytest.mark.parametrize("seed", range(4))
def test_a_rollback_killed_at_any_statement_is_completed_by_the_next(seed: int) -> None:
    lines = some_lines(seed)
    log = run(queue(lines))
    truth = whole_truth(log)
    die_in_the_middle("rollback", log, random.Random(seed))
    log.refresh_from_db()
    assert log.status == Status.ROLLING_BACK
    expire_lease(log)
    roll_back(log)
    assert not Trade.objects.exists()
    assert not ImportedExecution.objects.exists()
    assert log.row_logs.count() == len(lines)
    assert whole_truth(run(queue(lines))) == truth


@pytest.mark.parametrize("kept", [0, 1, 3 << 20])
def test_a_file_of_which_only_a_part_was_received_is_not_stored(tmp_path: Path, kept: int) -> None:
    pipe = tmp_path / "fills.csv"
    os.mkfifo(pipe)
    process = start("manage.py", "import_csv", str(pipe))
    with pipe.open("wb", buffering=0) as stream:
        stream.write(b"x" * kept)
        wait_until(lambda: any(settings.FILES_DIR.glob("incoming-*")), process)
        kill(process)
    assert not [path for path in settings.FILES_DIR.rglob("*") if path.parent != settings.FILES_DIR]
    assert not ImportExecutionLog.objects.exists()


# --- Races


@pytest.mark.parametrize(("seed", "rivals"), [(20, 2), (21, 3), (22, 3)])
def test_processes_that_import_the_same_lines_at_once_share_them(seed: int, rivals: int) -> None:
    """The first two have the same file, the third has its lines in another order."""
    lines = some_lines(seed, count=1_200)
    expected = undisturbed(lines)[0][2]
    shuffled = random.Random(seed).sample(lines, len(lines))
    logs = [queue(lines), queue(lines), queue(shuffled)][:rivals]
    ended = go(*(drive("import", log, chunk=50) for log in logs))
    assert [(one.status, one.err) for one in ended] == [(0, "")] * rivals
    for log in logs:
        log.refresh_from_db()
        assert log.total_rows == log.row_logs.count() == len(lines)
    assert sum(log.success_rows for log in logs) == Trade.objects.count() == expected
    assert {log.failed_rows for log in logs} == {logs[0].failed_rows}
    assert_ledger_and_trades_agree()


def test_two_files_that_overlap_in_opposite_order_lock_nobody_out() -> None:
    lines = [line for line in some_lines(seed=30, count=4_000) if "exec-" in line]
    logs = [queue(lines[:1500]), queue(lines[500:][::-1])]
    ended = go(*(drive("import", log, chunk=500) for log in logs))
    assert [(one.status, one.err) for one in ended] == [(0, "")] * 2
    trades = {trade[:-1] for trade in all_trades()}
    assert len(trades) == Trade.objects.count()
    run(queue(lines))
    assert trades == {trade[:-1] for trade in all_trades()}


def test_of_two_processes_with_one_import_one_leaves_quietly() -> None:
    lines = some_lines(seed=40)
    truth = undisturbed(lines)
    log = queue(lines)
    ended = go(drive("import", log), drive("import", log))
    assert sorted((one.status, one.out, one.err) for one in ended) == [
        (0, "False\n", ""),
        (0, "True\n", ""),
    ]
    assert whole_truth(log) == truth


def test_a_process_that_has_lost_its_import_writes_nothing_more() -> None:
    lines = some_lines(seed=50)
    truth = undisturbed(lines)
    log = queue(lines)
    process = drive("import", log, moment="stop")
    begin(process)
    wait_until_stopped(process)
    log.refresh_from_db()
    assert 0 < log.cursor < len(lines)
    run(log)
    process.send_signal(signal.SIGCONT)
    left = end(process)
    assert (left.status, left.err) == (0, "")
    assert whole_truth(log) == truth


def test_a_process_leaves_an_import_that_is_still_in_other_hands() -> None:
    log = queue(some_lines(seed=52))
    process = drive("import", log, moment="stop")
    begin(process)
    wait_until_stopped(process)
    ImportExecutionLog.objects.filter(pk=log.pk).update(owner="rival")
    process.send_signal(signal.SIGCONT)
    left = end(process)
    assert (left.status, left.err) == (0, "")
    log.refresh_from_db()
    assert (log.owner, log.cursor, log.row_logs.count()) == ("rival", 100, 100)


def test_a_rollback_that_has_lost_its_import_deletes_nothing_more() -> None:
    log = run(queue(some_lines(seed=51)))
    process = drive("rollback", log, moment="stop")
    begin(process)
    wait_until_stopped(process)
    ImportExecutionLog.objects.filter(pk=log.pk).update(owner="rival")
    process.send_signal(signal.SIGCONT)
    assert end(process).out == "conflict\n"
    assert ImportedExecution.objects.count() == log.success_rows - 100
    assert_ledger_and_trades_agree()


@pytest.mark.parametrize("seed", [60, 61, 62])
def test_a_rollback_while_the_same_file_is_imported_again(seed: int) -> None:
    lines = some_lines(seed)
    old = run(queue(lines))
    new = queue(lines)
    ended = go(drive("rollback", old, chunk=50), drive("import", new, chunk=50))
    assert [(one.status, one.err) for one in ended] == [(0, "")] * 2
    new.refresh_from_db()
    assert new.total_rows == len(lines)
    assert new.failed_rows == old.failed_rows
    assert new.success_rows == Trade.objects.count()
    assert_ledger_and_trades_agree()


def test_of_two_rollbacks_at_once_one_is_refused() -> None:
    log = run(queue(some_lines(seed=70)))
    ended = go(drive("rollback", log), drive("rollback", log))
    assert [one.err for one in ended] == ["", ""]
    assert {one.out for one in ended} == {f"{log.success_rows}\n", "conflict\n"}
    assert not Trade.objects.exists()
