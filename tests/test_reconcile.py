"""What is kept agrees with itself; whatever does not is found, mended if it can be, and gone."""

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from batches.models import Batch, BatchTrade
from imports import removing, rollback
from imports.background import IMPORT
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.removing import clear
from imports.retry import retry
from imports.rollback import begin, roll_back
from imports.running import run_import
from imports.states import RowStatus, Status
from imports.storing import Wishes, path_of, receive
from joblogs.models import JobLog, Notice
from joblogs.reconciliations import Reconciliation
from joblogs.states import Status as JobStatus
from joblogs.states import Trigger
from joblogs.tasks import recur
from orders.models import OpenOrder
from orders.syncing import sync
from tests.batching import started
from tests.batching import work_off as work_batches_off
from tests.conftest import TakeIn, file_of, fill, work_off
from tests.desk import orders, shows
from tradelog import positioncheck, reconciling
from trades.models import Account, Position, TouchedPair, Trade
from trades.positions import recompute_touched
from trades.touched import mark_wholly

pytestmark = pytest.mark.django_db

FILE = file_of(
    fill(ID="a"), fill(ID="b", Action="Sell"), fill(ID="a"), fill(ID="c", Quantity="abc")
)
GONE = 999_999


def run(*arguments: str) -> tuple[list[str], str]:
    """What the command says, and what it fails with; '' if it does not."""
    out = io.StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except CommandError as problem:
        return out.getvalue().splitlines(), str(problem)
    return out.getvalue().splitlines(), ""


def raw(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def long_ago(model: type, *names: str, **which: object) -> None:
    moment = timezone.now() - timedelta(hours=2)
    model.objects.filter(**which).update(**dict.fromkeys(names, moment))


@pytest.fixture
def busy(take_in: TakeIn) -> ImportExecutionLog:
    """A log with all that there can be in one; the import of FILE."""
    log = take_in(FILE)
    take_in(file_of(fill(ID="a", Account="Other"), fill(ID="", Account="Other")))
    roll_back(take_in(file_of(fill(ID="x"))))
    take_in(b"undefined", "broken.csv")
    Trade.objects.filter(execution_id="b").delete()
    mark_wholly({(log_pair.account_id, log_pair.instrument_id) for log_pair in Trade.objects.all()})
    recompute_touched()
    started(3, bad=1)
    work_batches_off()
    shows(*orders(3))
    sync()
    return log


# --- A healthy log


def test_a_healthy_log_has_no_findings(busy: ImportExecutionLog) -> None:
    assert run() == (["Everything agrees."], "")
    assert run("--fix") == (["Everything agrees."], "")
    assert Reconciliation.objects.first().differences == 0


def test_an_empty_log_has_none() -> None:
    assert run() == (["Everything agrees."], "")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_found_between_any_two_chunks(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an import, a rollback, a retry and a clearing that are at work, in any of their states."""
    looks = []

    def look(*_: object) -> bool:
        looks.append(run())
        return True

    monkeypatch.setattr("imports.running.CHUNK", 2)
    monkeypatch.setattr(rollback, "SLICE", 1)
    monkeypatch.setattr(removing, "SLICE", 1)
    log = receive(io.BytesIO(FILE.encode()), "fills.csv", Wishes(timezone="UTC"))
    look()
    run_import(log.pk, on_progress=look)
    roll_back(log, on_progress=look)
    run_import(take_in_again(log).pk, on_progress=look)
    clear(log.pk, look)
    assert len(looks) > 10
    assert set(map(str, looks)) == {str((["Everything agrees."], ""))}


def take_in_again(log: ImportExecutionLog) -> ImportExecutionLog:
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=Status.FAILED)
    new = retry(ImportExecutionLog.objects.get(pk=log.pk))
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=Status.ROLLED_BACK)
    return new


# --- Damage


def lose_a_row_log(log: ImportExecutionLog) -> None:
    rows = ImportRowLog.objects.filter(import_log=log, status=RowStatus.FAILED)
    rows._raw_delete("default")


def count_too_much(log: ImportExecutionLog) -> None:
    mine = ImportExecutionLog.objects.filter(pk=log.pk)
    mine.update(success_rows=5, total_rows=7, trades_created=2)


def call_it_success(log: ImportExecutionLog) -> None:
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=Status.SUCCESS)


def take_in_too_little(log: ImportExecutionLog) -> None:
    ImportExecutionLog.objects.filter(pk=log.pk).update(trades_created=1)


def leave_ledger_rows_of_a_rollback(log: ImportExecutionLog) -> None:
    undone = ImportExecutionLog.objects.get(status=Status.ROLLED_BACK)
    account = Account.objects.first()
    same = {"account": account, "instrument": Trade.objects.first().instrument}
    for name, trade_id in (("left", GONE), ("standing", Trade.objects.first().pk)):
        ImportedExecution.objects.create(
            **same, execution_id=name, trade_id=trade_id, import_log=undone, csv_filename="x.csv"
        )


def lose_a_ledger_row(log: ImportExecutionLog) -> None:
    ImportedExecution.objects.filter(execution_id="a", account__name="Sim101").delete()


def lose_the_number_in_the_ledger(log: ImportExecutionLog) -> None:
    ImportedExecution.objects.filter(execution_id="a").update(trade_id=GONE)


def leave_no_number_in_the_ledger(log: ImportExecutionLog) -> None:
    ImportedExecution.objects.filter(execution_id="a").update(trade_id=None)


def leave_rows_of_no_import(log: ImportExecutionLog) -> None:
    for number in (1, 2):
        ImportRowLog.objects.create(import_log_id=GONE, row_number=number, status="failed")


def name_a_line_that_is_gone(log: ImportExecutionLog) -> None:
    Trade.objects.filter(batch=None).update(import_row_log_id=GONE)


def name_a_batch_that_is_gone(log: ImportExecutionLog) -> None:
    Trade.objects.filter(batch=None).update(batch_id=GONE)


def repeat_a_trade_that_is_gone(log: ImportExecutionLog) -> None:
    ImportRowLog.objects.filter(status=RowStatus.SKIPPED).update(duplicate_of_id=GONE)


def name_an_import_that_is_gone(log: ImportExecutionLog) -> None:
    raw("UPDATE imported_executions SET import_id = %s WHERE csv_filename = 'BATCH'", GONE)


def count_batches_wrong(log: ImportExecutionLog) -> None:
    Batch.objects.update(executed_trades=2, failed_trades=2)


def name_a_batch_trades_trade_that_is_gone(log: ImportExecutionLog) -> None:
    BatchTrade.objects.filter(sequence=1).update(trade_id=GONE)


def spoil_a_position(log: ImportExecutionLog) -> None:
    Position.objects.filter(account__name="Sim101").update(peak_quantity=Decimal(9))


def lose_a_position(log: ImportExecutionLog) -> None:
    Position.objects.filter(account__name="Other").delete()


def leave_a_job_of_the_dead(log: ImportExecutionLog) -> None:
    job = JobLog.objects.start(IMPORT, trigger=Trigger.MANUAL)
    JobLog.objects.filter(pk=job.pk).update(status=JobStatus.PROCESSING)
    long_ago(JobLog, "started_at", "heartbeat_at", pk=job.pk)


def leave_an_import_alone(log: ImportExecutionLog) -> None:
    new = receive(io.BytesIO(b"Instrument\r\n"), "left.csv")
    long_ago(ImportExecutionLog, "queued_at", pk=new.pk)


def leave_an_import_in_the_middle(log: ImportExecutionLog) -> None:
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=Status.RUNNING, owner="far:1:2:x")
    long_ago(ImportExecutionLog, "lease_until", pk=log.pk)


def leave_a_rollback_alone(log: ImportExecutionLog) -> None:
    begin(log, None)
    long_ago(ImportExecutionLog, "queued_at", pk=log.pk)


def leave_a_batch_alone(log: ImportExecutionLog) -> None:
    long_ago(Batch, "updated_at", pk=started(1).pk)
    JobLog.objects.filter(status=JobStatus.NEW).delete()


def leave_marks_alone(log: ImportExecutionLog) -> None:
    mark_wholly([(Account.objects.first().pk, Trade.objects.first().instrument_id)])
    long_ago(TouchedPair, "created_at")


def named(value: object) -> str:
    return getattr(value, "__name__", "")


MENDED = [
    (lose_a_row_log, "but its row logs are", "counted anew"),
    (count_too_much, "but its row logs are 2, 1 and 1", "counted anew"),
    (call_it_success, "is success and counts", "counted anew"),
    (take_in_too_little, "has taken in 1 trades, but has 2 ledger rows", "its counter"),
    (leave_ledger_rows_of_a_rollback, "is rolled back, but has 2 ledger rows", "1 row deleted, 1"),
    (lose_a_ledger_row, "not in the ledger", "1 ledger row written"),
    (lose_the_number_in_the_ledger, "knows 2 trades", "2 ledger rows name them"),
    (leave_no_number_in_the_ledger, "knows 2 trades", "2 ledger rows name them"),
    (leave_rows_of_no_import, "left of 1 import (999999)", "2 row logs deleted"),
    (name_a_line_that_is_gone, "name a line that is gone", "3 trades unlinked"),
    (name_a_batch_that_is_gone, "name a batch that is gone", "3 trades unlinked"),
    (repeat_a_trade_that_is_gone, "repeat a trade that is gone", "1 row log unlinked"),
    (name_an_import_that_is_gone, "name an import that is gone", "3 ledger rows unlinked"),
    (count_batches_wrong, "counts 4, 2, 2, 0", "counted anew"),
    (
        name_a_batch_trades_trade_that_is_gone,
        "1 batch trade name a trade",
        "1 batch trade unlinked",
    ),
    (spoil_a_position, "must be", "computed anew"),
    (lose_a_position, "is missing", "computed anew"),
    (leave_a_job_of_the_dead, "gives no sign of life", "ended as abandoned"),
    (leave_an_import_alone, "is queued, and nobody", "rung for"),
    (leave_an_import_in_the_middle, "is running, and nobody", "rung for"),
    (leave_a_rollback_alone, "is rolling back, and nobody", "rung for"),
    (leave_a_batch_alone, "is pending, and nobody", "rung for"),
    (leave_marks_alone, "to be computed anew, and nobody", "rung for"),
]


@pytest.mark.parametrize(("damage", "words", "deed"), MENDED, ids=named)
def test_damage_is_found_mended_and_gone(
    busy: ImportExecutionLog, damage: Callable, words: str, deed: str
) -> None:
    damage(busy)
    found, problem = run()
    assert words in found[0]
    assert (len(found) == 1) or damage is lose_a_ledger_row  # which its import counts as well
    assert "manage.py reconcile --fix mends most." in problem
    mended, problem = run("--fix")
    assert words in mended[0]
    assert f"mended, {deed}" in mended[0]
    assert (mended[1:], problem) == (["1 finding mended.", "Everything agrees."], "")
    assert run() == (["Everything agrees."], "")
    entry = AuditEntry.objects.first()
    assert (entry.way, entry.count, entry.words) == ("command", 1, "reconcile --fix")


def lose_what_was_taken_in(log: ImportExecutionLog) -> None:
    trade = Trade.objects.get(execution_id="a", account__name="Sim101")
    ImportedExecution.objects.filter(trade_id=trade.pk).delete()
    BatchTrade.objects.update(trade=None)
    trade.delete()
    mark_wholly([(trade.account_id, trade.instrument_id)])
    recompute_touched()


def double_a_trade(log: ImportExecutionLog) -> None:
    trade = Trade.objects.get(execution_id="a", account__name="Other")
    trade.pk = None
    trade.save()
    mark_wholly([(trade.account_id, trade.instrument_id)])
    recompute_touched()


def lose_an_account(log: ImportExecutionLog) -> None:
    account = Account.objects.create(name="Gone")
    Trade.objects.filter(account__name="Other")
    ImportedExecution.objects.filter(csv_filename="BATCH", execution_id__endswith=":1").update(
        account_id=GONE
    )
    account.delete()


def lose_a_file(log: ImportExecutionLog) -> None:
    log.stored_path.unlink()


def change_a_file(log: ImportExecutionLog) -> None:
    content = log.stored_path.read_bytes()
    log.stored_path.write_bytes(content.replace(b"exec", b"EXEC").replace(b"Buy", b"Bye"))


def cut_a_file(log: ImportExecutionLog) -> None:
    log.stored_path.write_bytes(log.stored_path.read_bytes()[:-1])


def lose_an_open_order(log: ImportExecutionLog) -> None:
    OpenOrder.objects.first().delete()


LEFT = [
    (lose_what_was_taken_in, "has taken in 2 trades, but has 1 ledger row: ", 1),
    (double_a_trade, "is the same execution as trade", 1),
    (lose_an_account, "are of an account that is gone: restore it", 2),
    (lose_a_file, "(fills.csv) is missing: restore it", 1),
    (change_a_file, "(fills.csv) holds other bytes than were received", 1),
    (cut_a_file, "bytes in place of", 1),
]


@pytest.mark.parametrize(("damage", "words", "number"), LEFT, ids=named)
def test_what_only_a_person_can_mend_is_left(
    busy: ImportExecutionLog, damage: Callable, words: str, number: int
) -> None:
    damage(busy)
    for arguments in ([], ["--fix"]):
        found, problem = run(*arguments)
        assert any(words in line for line in found)
    assert "left, for you to mend" in problem or number > 1


def test_open_orders_that_are_missing_are_mirrored_anew(busy: ImportExecutionLog) -> None:
    lose_an_open_order(busy)
    assert "count 3, but are 2" in run()[0][0]
    assert "mended, a worker mirrors them anew" in run("--fix")[0][0]
    sync()
    assert run() == (["Everything agrees."], "")


def test_an_import_at_work_is_counted_when_it_has_ended(busy: ImportExecutionLog) -> None:
    count_too_much(busy)
    ahead = timezone.now() + timedelta(minutes=4)
    mine = ImportExecutionLog.objects.filter(pk=busy.pk)
    mine.update(status=Status.RUNNING, owner="far:1:2:x", lease_until=ahead)
    assert "once it has ended" in run("--fix")[0][0]
    mine.update(status=Status.PARTIAL, owner="", lease_until=None)
    assert run("--fix")[1] == ""
    busy.refresh_from_db()
    assert (busy.total_rows, busy.success_rows) == (4, 2)


def test_a_batch_at_work_is_counted_when_nobody_has_it(busy: ImportExecutionLog) -> None:
    count_batches_wrong(busy)
    Batch.objects.update(owner="far:1:2:x")
    assert "once nobody works on it" in run("--fix")[0][0]


def test_a_rollback_that_was_given_up_is_told(busy: ImportExecutionLog) -> None:
    leave_a_rollback_alone(busy)
    ImportExecutionLog.objects.filter(pk=busy.pk).update(attempt=10)
    assert "broke off 10 times: ask for it again" in run("--fix")[0][0]


def test_what_was_mended_comes_back_by_a_rollback_and_an_import(busy: ImportExecutionLog) -> None:
    lose_what_was_taken_in(busy)
    busy.refresh_from_db()
    roll_back(busy)
    assert run() == (["Everything agrees."], "")


def test_work_that_waits_for_its_bell_is_no_finding(busy: ImportExecutionLog) -> None:
    leave_an_import_alone(busy)
    JobLog.objects.start(
        IMPORT, trigger=Trigger.MANUAL, subject_id=ImportExecutionLog.objects.latest("pk").pk
    )
    assert run() == (["Everything agrees."], "")


def test_a_pair_that_is_being_computed_is_no_finding(busy: ImportExecutionLog) -> None:
    spoil_a_position(busy)
    mark_wholly(set(Trade.objects.order_by().values_list("account_id", "instrument_id")))
    assert run() == (["Everything agrees."], "")


def test_positions_that_a_worker_puts_right_meanwhile_are_none(
    busy: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    differences = positioncheck.differences

    def put_right(pair: object, progress: object) -> list[str]:
        found = list(differences(pair, progress))
        if found:
            mark_wholly([pair])
            recompute_touched()
        return found

    spoil_a_position(busy)
    monkeypatch.setattr(positioncheck, "differences", put_right)
    assert run() == (["Everything agrees."], "")


# --- Files that no import knows


def aged(name: str, content: bytes = b"x", days: int = 2) -> object:
    path = path_of(name) if len(name) == 64 else settings.FILES_DIR / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


def test_files_of_no_import_are_a_remark_and_are_set_aside(busy: ImportExecutionLog) -> None:
    unknown = aged("ab" * 32)
    found, problem = run()
    assert "1 stored file of no import (abab" in found[0]
    assert problem == ""
    assert "mended" in run("--fix")[0][0]
    assert not unknown.exists()
    assert (settings.FILES_DIR.parent / "unclaimed" / unknown.name).read_bytes() == b"x"
    assert run() == (["Everything agrees."], "")


def test_half_written_files_are_deleted(busy: ImportExecutionLog) -> None:
    left = aged("incoming-x1")
    folder = settings.FILES_DIR / "corrected-x2"
    folder.mkdir()
    aged("corrected-x2/received")
    os.utime(folder, (0, 0))
    assert "2 stored files left half-written" in run()[0][0]
    run("--fix")
    assert not left.exists()
    assert not folder.exists()


def test_files_of_today_may_wait_for_their_import(busy: ImportExecutionLog) -> None:
    aged("cd" * 32, days=0)
    aged("incoming-x1", days=0)
    assert run("--fix") == (["Everything agrees."], "")


def test_a_file_that_is_stored_anew_in_that_moment_stays(
    busy: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = aged("ef" * 32)
    replace = os.replace

    def stored_anew_first(source: object, target: object) -> None:
        os.utime(source)
        replace(source, target)

    monkeypatch.setattr("imports.filecheck.os.replace", stored_anew_first)
    run("--fix")
    assert unknown.exists()


# --- The job


@pytest.mark.django_db(transaction=True)
def test_every_day_a_job_checks_and_tells_once(
    busy: ImportExecutionLog, client: Client, adam: object
) -> None:
    assert recur("reconcile") == "Done."
    assert not Notice.objects.filter(trouble="reconcile").exists()
    lose_a_file(busy)
    recur("reconcile")
    recur("reconcile")
    notice = Notice.objects.get(trouble="reconcile")
    assert "The daily check found 1 difference" in notice.title
    assert "(fills.csv) is missing" in notice.text
    log = JobLog.objects.filter(job="reconcile").first()
    assert log.result["differences"] == 1
    assert any("is missing" in line.message for line in log.details.all())
    client.force_login(adam)
    assert "The last check of what is kept found 1 difference" in client.get("/admin/").text
    busy.stored_path.write_bytes(FILE.encode())
    assert run()[1] == ""
    notice.refresh_from_db()
    assert notice.over_at
    assert "The last check" not in client.get("/admin/").text


@pytest.mark.django_db(transaction=True)
def test_a_check_goes_on_in_slices(
    busy: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_a_file(busy)
    count_too_much(busy)
    monkeypatch.setattr(reconciling, "SLICE", -1)
    recur("reconcile")
    mine = Reconciliation.objects.get()
    while not Reconciliation.objects.filter(finished_at__isnull=False).exists():
        reconciling.reconcile_slice(mine.pk)
    mine.refresh_from_db()
    assert (mine.differences, mine.steps) == (2, mine.steps)
    assert mine.steps > len(reconciling.CHECKS)
    assert reconciling.reconcile_slice(mine.pk) == {"left": True}


def test_one_that_nobody_goes_on_with_is_taken_up() -> None:
    mine = Reconciliation.objects.create()
    assert reconciling.waiting() == []
    long_ago(Reconciliation, "changed_at")
    assert reconciling.waiting() == [mine.pk]
    assert reconciling.open_one(None) == mine


def test_of_two_who_look_at_one_step_one_counts(busy: ImportExecutionLog) -> None:
    mine = Reconciliation.objects.create()
    twin = Reconciliation.objects.get()
    assert reconciling.move_on(mine, [1, None])
    assert not reconciling.move_on(twin, [1, None])


def test_old_checks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "KEPT", 2)
    for _ in range(4):
        reconciling.finish(Reconciliation.objects.create())
    assert Reconciliation.objects.count() == 2


def test_work_off_leaves_a_healthy_log(busy: ImportExecutionLog) -> None:
    receive(io.BytesIO(FILE.replace("exec", "other").encode()), "more.csv", Wishes(timezone="UTC"))
    work_off()
    assert run() == (["Everything agrees."], "")
