"""Old row logs, lines of jobs and audit are deleted; what is needed, or not known, stays."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from audit import oldentries
from audit.models import AuditEntry, Deed
from imports import oldrows, removing
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.oldrows import forget_lot, forget_rows, remember_the_known
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import StateConflict, Status
from imports.telling import tell_of_end
from joblogs import oldlines
from joblogs.models import JobLog, JobLogDetail, Notice
from joblogs.notices import tell
from joblogs.oldlines import forget_lines
from joblogs.states import Status as JobStatus
from joblogs.states import Trigger
from joblogs.tasks import recur
from tests.conftest import TakeIn, file_of, fill
from tradelog import retention
from trades.models import Trade
from web.ages import days_ago

pytestmark = pytest.mark.django_db

GOOD = file_of(fill(ID="a"), fill(ID="b"), fill(ID="a"))
BAD = file_of(fill(ID="g"), fill(ID="h", Quantity="abc"))


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("clean_logs", *arguments, stdout=out)
    return out.getvalue().strip()


def age(log: ImportExecutionLog, days: int = 91) -> ImportExecutionLog:
    then = timezone.now() - timedelta(days=days)
    moments = {"queued_at": then, "completed_at": then}
    ImportExecutionLog.objects.filter(pk=log.pk).update(**moments)
    return log


def rows_of(log: ImportExecutionLog) -> int:
    return ImportRowLog.objects.filter(import_log=log).count()


def acknowledged(log: ImportExecutionLog) -> ImportExecutionLog:
    tell_of_end(log.pk)
    Notice.objects.filter(key=f"import:{log.pk}").update(acknowledged_at=timezone.now())
    return log


def job(days: int, lines: int = 3, **values: object) -> JobLog:
    log = JobLog.objects.start("sync", trigger=Trigger.SCHEDULE)
    then = timezone.now() - timedelta(days=days)
    values = {"status": JobStatus.SUCCESS, "finished_at": then} | values
    JobLog.objects.filter(pk=log.pk).update(**values)
    JobLogDetail.objects.bulk_create(
        JobLogDetail(job_log=log, message=f"{number}") for number in range(lines)
    )
    log.refresh_from_db()
    return log


# --- Row logs


def test_old_row_logs_are_deleted_and_all_else_stays(take_in: TakeIn) -> None:
    old, young = age(take_in(GOOD)), age(take_in(file_of(fill(ID="z"))), days=89)
    assert run("--dry-run") == "3 row logs would be deleted, 0 lines of jobs would be deleted."
    assert rows_of(old) == 3
    assert run() == "3 row logs deleted, 0 lines of jobs deleted."
    assert (rows_of(old), rows_of(young)) == (0, 1)
    assert (Trade.objects.count(), ImportedExecution.objects.count()) == (3, 3)
    assert Trade.objects.filter(import_row_log=None).count() == 2
    old.refresh_from_db()
    assert (old.total_rows, old.success_rows, old.skipped_rows) == (3, 2, 1)
    assert old.rows_deleted_at
    assert run() == "0 row logs deleted, 0 lines of jobs deleted."
    call_command("reconcile", stdout=io.StringIO())


def test_never_is_never(take_in: TakeIn) -> None:
    log = age(take_in(GOOD), days=4000)
    job(4000)
    assert run("--row-logs-after", "0", "--job-lines-after", "0").startswith(
        "0 row logs deleted, 0"
    )
    assert rows_of(log) == 3


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.ROLLING_BACK])
def test_an_import_at_work_keeps_its_own(take_in: TakeIn, status: Status) -> None:
    log = age(take_in(GOOD))
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=status)
    assert run().startswith("0 row logs")


def test_failures_that_nobody_has_acknowledged_stay(take_in: TakeIn) -> None:
    log = age(take_in(BAD))
    told = run("--dry-run")
    assert told.startswith("0 row logs would be deleted")
    assert "1 old import kept in full" in told
    run()
    assert rows_of(log) == 2
    tell_of_end(log.pk)
    run()
    assert rows_of(log) == 2
    acknowledged(log)
    run()
    assert rows_of(log) == 0


def test_that_it_was_acknowledged_outlives_the_notice(take_in: TakeIn) -> None:
    log = acknowledged(take_in(BAD))
    assert remember_the_known() == 1
    Notice.objects.all().delete()
    run()
    assert rows_of(log) == 2
    age(log)
    run()
    assert rows_of(log) == 0


def test_a_family_loses_its_rows_together(take_in: TakeIn) -> None:
    first = age(acknowledged(take_in(BAD)))
    again = run_import(retry(first).pk)
    acknowledged(again)
    run()
    assert (rows_of(first), rows_of(again)) == (2, 2)
    age(again)
    remember_the_known()
    assert forget_lot(first.pk, days_ago(90)) == (2, 3)
    again.refresh_from_db()
    assert again.rows_deleted_at
    with pytest.raises(StateConflict, match="lines of fills.csv were deleted on"):
        retry(again)
    run()
    assert rows_of(again) == 0


def test_a_retry_that_begins_meanwhile_keeps_all(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = age(acknowledged(take_in(BAD)))
    is_kept = oldrows.is_kept
    monkeypatch.setattr(
        oldrows, "in_lots", lambda moment: iter([ImportExecutionLog.objects.get(pk=log.pk)])
    )
    remember_the_known()
    assert not is_kept(log, days_ago(90))
    retry(log)
    assert list(forget_rows(90)) == []
    assert rows_of(log) == 2


def test_what_was_stopped_goes_on(take_in: TakeIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "SLICE", 1)
    log = age(take_in(GOOD))
    assert next(forget_rows(90)) == 1
    assert rows_of(log) == 2
    call_command("reconcile", stdout=io.StringIO())
    assert run().startswith("2 row logs deleted")


# --- What page, API, retry and rollback say then


@pytest.fixture
def bare(take_in: TakeIn) -> ImportExecutionLog:
    """An old import without row logs."""
    log = age(acknowledged(take_in(BAD)))
    run()
    log.refresh_from_db()
    return log


def test_its_page_says_so(bare: ImportExecutionLog, client: Client, adam: User) -> None:
    client.force_login(adam)
    page = client.get(bare.get_absolute_url()).text
    assert "Its lines were deleted on" in page
    assert "Failed lines as CSV" not in page
    assert "Retry…" not in page
    assert "a retry could not tell" in client.get(f"{bare.get_absolute_url()}retry/").text
    assert "is not known any more" in client.get(f"{bare.get_absolute_url()}rollback/").text


def test_the_api_says_so(bare: ImportExecutionLog, client: Client, adam: User) -> None:
    client.force_login(adam)
    api = "/api/import-logs"
    found = client.get(f"{api}/detail/{bare.pk}").json()
    assert (found["row_logs"], bool(found["rows_deleted_at"])) == ([], True)
    assert client.get(f"{api}/failed-rows/{bare.pk}").json()["row_logs"] == []
    answer = client.get(f"{api}/download/{bare.pk}?format=csv")
    assert (answer.status_code, answer.json()["error_code"]) == (409, "ROWS_DELETED")
    for form, words in (("json", '"rows_deleted_at": "2'), ("text", "Lines: deleted at")):
        answer = client.get(f"{api}/download/{bare.pk}?format={form}")
        assert words in b"".join(answer).decode()
    answer = client.post(f"{api}/retry/{bare.pk}")
    assert answer.status_code in (400, 409)
    assert "import its file again" in answer.json()["error"]
    assert client.get(f"{api}/affected-trades/{bare.pk}").json()["count"] == 1


def test_its_trades_are_found_by_the_ledger(
    bare: ImportExecutionLog, client: Client, adam: User
) -> None:
    client.force_login(adam)
    assert client.get(f"/api/trades?import={bare.pk}").json()["pagination"]["total"] == 1
    assert client.get(f"/api/trades?import={bare.pk + 1}").json()["pagination"]["total"] == 0


def test_it_can_be_rolled_back_and_imported_again(
    bare: ImportExecutionLog, take_in: TakeIn
) -> None:
    assert take_in(BAD).skipped_rows == 1
    assert roll_back(bare) == 1
    assert (Trade.objects.count(), ImportedExecution.objects.count()) == (0, 0)
    assert take_in(BAD).success_rows == 1
    call_command("reconcile", stdout=io.StringIO())


# --- Lines of jobs


def test_old_lines_of_jobs_are_deleted(client: Client, adam: User) -> None:
    old, young = job(31), job(29)
    assert run("--dry-run") == "0 row logs would be deleted, 3 lines of jobs would be deleted."
    assert run() == "0 row logs deleted, 3 lines of jobs deleted."
    assert (old.details.count(), young.details.count()) == (0, 3)
    client.force_login(adam)
    assert "Or they were deleted" in client.get(old.get_absolute_url()).text


def test_lines_of_a_failure_that_nobody_has_acknowledged_stay() -> None:
    failed = job(31, status=JobStatus.ERROR)
    tell(f"job:sync:{failed.pk}", "It failed")
    run()
    assert failed.details.count() == 3
    Notice.objects.update(acknowledged_at=timezone.now())
    run()
    assert failed.details.count() == 0


def test_a_failure_that_was_never_told_is_known_to_who_asked() -> None:
    failed = job(31, status=JobStatus.ERROR)
    run()
    assert failed.details.count() == 0


def test_lines_go_lot_by_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oldlines, "LOT", 2)
    monkeypatch.setattr(oldlines, "JOBS_AT_ONCE", 1)
    job(31)
    job(32)
    assert list(forget_lines(30)) == [2, 1, 2, 1]


# --- Entries of the audit


def entry(days: int) -> AuditEntry:
    return AuditEntry.objects.create(deed=Deed.LOGIN, at=timezone.now() - timedelta(days=days))


def test_the_audit_is_kept_for_ever_by_default() -> None:
    old = entry(10_000)
    assert run() == "0 row logs deleted, 0 lines of jobs deleted."
    assert [*AuditEntry.objects.all()] == [old]


def test_old_entries_go_and_that_is_an_entry(settings: object) -> None:
    settings.TRADELOG_AUDIT_DAYS = 365
    young = entry(364)
    for days in (366, 400):
        entry(days)
    assert run("--dry-run").endswith(", 2 entries of the audit would be deleted.")
    assert AuditEntry.objects.count() == 3
    assert run().endswith(", 2 entries of the audit deleted.")
    told, left = AuditEntry.objects.all()
    assert left == young
    assert (told.deed, told.subject, told.count) == ("clear", "audit entries", 2)
    assert (told.words, told.way) == ("older than 365 days", "command")
    assert run() == "0 row logs deleted, 0 lines of jobs deleted."


def test_entries_go_lot_by_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oldentries, "LOT", 2)
    for _ in range(3):
        entry(31)
    assert run("--audit-after", "30").endswith(", 3 entries of the audit deleted.")
    assert [*AuditEntry.objects.order_by("pk").values_list("count", flat=True)] == [2, 1]


def test_no_entry_goes_without_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    old = entry(31)
    monkeypatch.setattr(oldentries, "write_down", fail)
    with pytest.raises(DatabaseError):
        run("--audit-after", "30")
    assert [*AuditEntry.objects.all()] == [old]


# --- The job


@pytest.mark.django_db(transaction=True)
def test_the_job_deletes_old_entries_for_nobody(settings: object) -> None:
    settings.TRADELOG_AUDIT_DAYS = 30
    entry(31)
    assert recur("clean_logs") == "Done."
    told = AuditEntry.objects.get()
    assert (told.deed, told.count, told.way, told.username) == ("clear", 1, "worker", "")


@pytest.mark.django_db(transaction=True)
def test_every_day_a_job_deletes(take_in: TakeIn) -> None:
    assert recur("clean_logs") == "There was nothing to do."
    age(take_in(GOOD))
    job(31)
    assert recur("clean_logs") == "Done."
    log = JobLog.objects.get(job="clean_logs")
    assert log.result == {"row_logs": 3, "job_lines": 3, "audit_entries": 0}


def test_a_slice_ends_and_rings_for_the_rest(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(take_in(GOOD))
    job(31)
    monkeypatch.setattr(retention, "SLICE", -1)
    assert retention.clean_slice(None) == {"row_logs": 3, "job_lines": 0, "audit_entries": 0}
    assert JobLog.objects.filter(job="clean_logs", status="new").count() == 1
