"""A backup brings imports back, with what became of their lines, and undoes that as well."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from imports import backuplogs, removing, restoringlogs, rollback, running
from imports.backuplogs import AS_THEY_ARE, OF_IMPORTS, TOO_LONG
from imports.claims import Pause
from imports.correctedfile import retry_corrected
from imports.correcting import correct, read_corrected
from imports.details import account_counts
from imports.export import failed_as_csv
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.removing import clear
from imports.retry import FileMissing, retry
from imports.rollback import preview, roll_back
from imports.running import run_import
from imports.states import RowStatus, StateConflict, Status
from imports.storing import Wishes, receive
from tests.conftest import EXAMPLES, TakeIn, file_of, fill
from tests.test_backup import counts, end_of, forget_all, pieces_taken_in, saved, state, trade
from trades.models import Trade

US = "ninjatrader-us.csv"
BAD = file_of(fill(ID="a"), fill(ID="b", Quantity="abc"), fill(ID="c", Price="n/a", Name="日\t本"))
LOST = {"id", "import_log", "import_log_id", "duplicate_of_id"}


def logs_told() -> dict[str, dict[str, Any]]:
    """By import: all that a backup brings back of it, without the ids of rows."""
    logs = ImportExecutionLog.objects.exclude(import_type="backup").order_by("pk")
    return {
        str(log.import_batch_id): {
            "itself": {name: getattr(log, name) for name in AS_THEY_ARE},
            "others": (log.retry_of and log.retry_of.import_batch_id, log.created_by),
            "rolled_back_by": log.rolled_back_by,
            "lines": [line_told(row) for row in log.row_logs.select_related("duplicate_of")],
            "ledger": ledger_told(log),
            "mended": [mended_told(one) for one in log.mended_lines.order_by("row_number")],
        }
        for log in logs
    }


def line_told(row: ImportRowLog) -> tuple:
    texts = (row.error_message, json.dumps(row.validation_errors))
    trade = row.duplicate_of
    if trade and trade.pk:
        texts = tuple(re.sub(rf"\btrade {trade.pk}\b", "trade N", text) for text in texts)
    repeated = trade and (trade.account.name, trade.execution_id)
    return row.row_number, row.status, row.error_category, texts, row.raw_row_data, repeated


def ledger_told(log: ImportExecutionLog) -> list[tuple]:
    rows = log.ledger_rows.order_by("account__name", "execution_id")
    return list(
        rows.values_list(
            "account__name",
            "execution_id",
            "csv_filename",
            "import_timestamp",
            "trade__import_row_log__row_number",
        )
    )


def mended_told(one: Any) -> tuple:
    known = ImportRowLog.objects.filter(pk=one.known_row).first()
    place = known and (str(known.import_log.import_batch_id), known.row_number)
    return one.row_number, one.line, one.refusal, place


@pytest.fixture
def desk(take_in: TakeIn, olga: User) -> dict[str, dict[str, Any]]:
    """Imports in all states in which they end, some of which come of others."""
    take_in((EXAMPLES / US).read_bytes(), US, user=olga)
    bad = take_in(BAD, "bad.csv")
    row = bad.row_logs.get(row_number=3)
    correct(
        row, read_corrected(bad, row, ["7" if c == "abc" else c for c in row.raw_row_data]), olga
    )
    csv = "".join(failed_as_csv(bad)).replace("n/a", "21350", 1)
    run_import(retry_corrected(bad, io.BytesIO(csv.encode()), "corrected.csv").pk)
    take_in(BAD, "again.csv")
    take_in(file_of(fill(ID="a", Price="1")), "conflict.csv")
    roll_back(take_in(file_of(fill(ID="gone")), "undone.csv"), olga)
    take_in("nothing,at,all\n1,2,3\n", "garbage.csv")
    take_in(file_of(fill(ID="old")), "old.csv")
    old = ImportExecutionLog.objects.get(file_name="old.csv")
    removing.clear_rows(old)
    Trade.objects.filter(execution_id="c").delete()
    Trade.objects.order_by("pk")[7].delete()
    return logs_told()


def reconciled(capsys: pytest.CaptureFixture) -> str:
    capsys.readouterr()
    call_command("reconcile")
    return capsys.readouterr().out


def unread(content: bytes) -> ImportExecutionLog:
    return receive(io.BytesIO(content), "all.jsonl", Wishes())


# --- There and back


def test_an_empty_database_gets_the_same_logs(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content, before = saved(tmp_path), state()
    assert {one["itself"]["status"] for one in desk.values()} >= {
        "success", "partial", "failed", "rolled_back",
    }  # fmt: skip
    assert any(one["mended"] for one in desk.values())
    forget_all()
    log = take_in(content, "all.jsonl")
    assert log.status == Status.SUCCESS, log.error_summary
    assert counts(log) == (len(before["trades"]) + len(desk), 0, 0)
    assert logs_told() == desk
    assert state() == before
    assert not log.ledger_rows.exists()
    assert reconciled(capsys) == "Everything agrees.\n"


def test_what_is_known_here_is_left_alone(take_in: TakeIn, desk: dict, tmp_path: Path) -> None:
    log = take_in(saved(tmp_path), "all.jsonl")
    assert log.success_rows == 0
    assert log.row_logs.filter(error_message__endswith="this import is known here").count() == len(
        desk
    )
    assert logs_told() == desk


def test_a_log_that_has_the_trades_keeps_them(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The import comes back, but what others had taken in before stays theirs."""
    content = saved(tmp_path)
    forget_all()
    here = take_in((EXAMPLES / US).read_bytes(), US)
    take_in(content, "all.jsonl")
    there = ImportExecutionLog.objects.exclude(pk=here.pk).get(file_name=US)
    assert (here.ledger_rows.count(), there.trades_created) == (here.success_rows, 0)
    assert [*there.row_logs.values_list("row_number", flat=True)]
    assert reconciled(capsys) == "Everything agrees.\n"


def test_a_trade_knows_its_line_again(take_in: TakeIn, desk: dict, tmp_path: Path) -> None:
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    line = Trade.objects.get(execution_id="a").import_row_log
    assert (line.import_log.file_name, line.row_number) == ("bad.csv", 2)
    assert Trade.objects.get(execution_id="old").import_row_log is None  # its lines were deleted


def test_an_import_that_came_back_is_rolled_back(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    number = Trade.objects.count()
    there = ImportExecutionLog.objects.get(file_name=US)
    assert roll_back(there) == number - Trade.objects.count() > 50
    assert reconciled(capsys) == "Everything agrees.\n"


def test_it_is_retried_where_its_file_is(take_in: TakeIn, desk: dict, tmp_path: Path) -> None:
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    there = ImportExecutionLog.objects.get(file_name="again.csv")
    new = run_import(retry(there).pk)
    assert (new.retry_of, counts(new)) == (there, (0, 1, 2))
    there.refresh_from_db()
    there.stored_path.unlink()
    with pytest.raises(FileMissing):
        retry(there)


def test_files_that_are_not_here_are_no_difference(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content = saved(tmp_path)
    paths = {log.stored_path for log in ImportExecutionLog.objects.exclude(file_hash="")}
    forget_all()
    take_in(content, "all.jsonl")
    for path in paths:
        path.unlink()
    assert reconciled(capsys) == "Everything agrees.\n"
    take_in((EXAMPLES / US).read_bytes(), US).stored_path.unlink()
    with pytest.raises(CommandError, match="1 difference"):
        reconciled(capsys)


# --- Undone


def test_a_rollback_takes_the_imports_along(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    content, before = saved(tmp_path), state()
    forget_all()
    log = take_in(content, "all.jsonl")
    effect = preview([log])
    assert (effect.trades, effect.restored) == (len(before["trades"]), len(desk))
    assert roll_back(log) == len(before["trades"])
    assert not logs_told()
    assert not Trade.objects.exists()
    assert not ImportedExecution.objects.exists()
    assert {*ImportRowLog.objects.values_list("import_log", flat=True)} == {log.pk}
    assert reconciled(capsys) == "Everything agrees.\n"
    take_in(content, "all.jsonl")
    assert (logs_told(), state()) == (desk, before)


def test_a_rollback_leaves_what_it_did_not_bring(
    take_in: TakeIn, desk: dict, tmp_path: Path
) -> None:
    content = saved(tmp_path)
    forget_all()
    here = take_in((EXAMPLES / US).read_bytes(), US)
    before = logs_told(), state()
    roll_back(take_in(content, "all.jsonl"))
    assert (logs_told(), state()["trades"]) == (before[0], before[1]["trades"])
    assert here.ledger_rows.count() == here.success_rows


# --- Interrupted


def test_a_restore_of_logs_goes_on_where_it_stopped(
    take_in: TakeIn, desk: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backuplogs, "MOST", 7)
    content, before = saved(tmp_path), state()
    forget_all()
    monkeypatch.setattr(running, "CHUNK", 7)
    assert pieces_taken_in(unread(content)) > 30
    assert (logs_told(), state()) == (desk, before)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_amiss_between_any_two_parts(
    take_in: TakeIn,
    desk: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(backuplogs, "MOST", 20)
    content, looks = saved(tmp_path), []
    forget_all()
    monkeypatch.setattr(running, "CHUNK", 30)
    monkeypatch.setattr(rollback, "SLICE", 20)
    monkeypatch.setattr(removing, "SLICE", 20)
    log = run_import(unread(content).pk, on_progress=lambda _: looks.append(reconciled(capsys)))
    roll_back(log, on_progress=lambda _: looks.append(reconciled(capsys)))
    assert len(looks) > 20
    assert set(looks) == {"Everything agrees.\n"}


@pytest.mark.parametrize("deed", [roll_back, lambda log: clear(log.pk, lambda: True)])
def test_what_is_undone_before_it_is_whole_gets_no_more(
    take_in: TakeIn,
    desk: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    deed: Callable[[ImportExecutionLog], object],
) -> None:
    monkeypatch.setattr(backuplogs, "MOST", 20)
    content = saved(tmp_path)
    forget_all()

    def interfere(log: ImportExecutionLog) -> None:
        half = ImportExecutionLog.objects.filter(file_name=US, status="success").first()
        if half and half.trades_created:
            deed(half)

    log = run_import(unread(content).pk, on_progress=interfere)
    assert log.status == Status.SUCCESS
    assert log.ledger_rows.exists()  # what was not handed over yet
    assert reconciled(capsys) == "Everything agrees.\n"


def test_another_restore_may_be_faster(
    take_in: TakeIn, desk: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = saved(tmp_path)
    forget_all()
    made = restoringlogs.import_of

    def late(said: dict[str, Any]) -> ImportExecutionLog:
        if not ImportExecutionLog.objects.filter(import_batch_id=said["import_batch_id"]).exists():
            made(said).save()
        return made(said)

    monkeypatch.setattr(restoringlogs, "import_of", late)
    log = take_in(content, "all.jsonl")
    assert (log.status, log.skipped_rows) == (Status.SUCCESS, len(desk))


# --- Broken off, retried


def stopped(log: ImportExecutionLog, when: Callable[[], bool], status: str) -> ImportExecutionLog:
    """The restore, ended at that moment as if somebody had cancelled it or it had broken off."""

    def stop(log: ImportExecutionLog) -> None:
        if when():
            raise Pause

    run_import(log.pk, on_progress=stop)
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=status)
    log.refresh_from_db()
    return log


@pytest.mark.parametrize("status", ["cancelled", "failed"])
@pytest.mark.parametrize("place", ["trades", "lines", "executions"])
def test_a_retry_takes_up_what_a_restore_has_left(
    take_in: TakeIn,
    desk: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    status: str,
    place: str,
) -> None:
    monkeypatch.setattr(backuplogs, "MOST", 20)
    content, before = saved(tmp_path), state()
    forget_all()
    reached = {
        "trades": lambda: Trade.objects.count() == len(before["trades"]),
        "lines": lambda: ImportRowLog.objects.filter(import_log__file_name=US).count() == 40,
        "executions": lambda: ImportedExecution.objects.filter(csv_filename=US).exists(),
    }[place]
    first = stopped(unread(content), reached, status)
    new = run_import(retry(first).pk)
    assert new.status == Status.SUCCESS
    assert (logs_told(), state()) == (desk, before)
    assert reconciled(capsys) == "Everything agrees.\n"


def test_a_restore_that_advances_is_not_given_up(
    take_in: TakeIn, desk: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backuplogs, "MOST", 10)
    log = unread(saved(tmp_path))
    forget_all()
    log = receive(io.BytesIO((tmp_path / "all.jsonl").read_bytes()), "all.jsonl", Wishes())

    def die(log: ImportExecutionLog) -> None:
        raise SystemExit

    for _ in range(60):
        with suppress(SystemExit):
            run_import(log.pk, on_progress=die)
    log.refresh_from_db()
    assert log.status == Status.SUCCESS
    assert logs_told() == desk


def test_nothing_is_left_to_do_with_a_known_backup(
    take_in: TakeIn, desk: dict, tmp_path: Path
) -> None:
    log = take_in(saved(tmp_path), "all.jsonl")
    assert (log.success_rows, log.can_be_retried) == (0, False)


def test_a_rollback_says_how_many_trades(take_in: TakeIn, desk: dict, tmp_path: Path) -> None:
    content = saved(tmp_path)
    forget_all()
    log = take_in(content, "all.jsonl")
    deleted = roll_back(log)
    assert AuditEntry.objects.filter(deed="rollback").order_by("-pk")[0].count == deleted > 50


def test_a_restore_may_be_cleared_before_what_it_brought(
    take_in: TakeIn, desk: dict, tmp_path: Path, capsys: pytest.CaptureFixture, client: Client,
    adam: User,
) -> None:  # fmt: skip
    content = saved(tmp_path)
    paths = {log.stored_path for log in ImportExecutionLog.objects.exclude(file_hash="")}
    forget_all()
    log = take_in(content, "all.jsonl")
    for path in paths:
        path.unlink()
    assert clear(log.pk, lambda: True)
    assert reconciled(capsys) == "Everything agrees.\n"
    client.force_login(adam)
    one = ImportExecutionLog.objects.get(file_name="old.csv")
    assert client.get(one.get_absolute_url()).status_code == 200


# --- Odd lines


def test_lines_too_long_for_a_backup_say_so(
    take_in: TakeIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(BAD, "bad.csv")
    monkeypatch.setattr(backuplogs, "HEAVIEST", 20)
    content = saved(tmp_path)
    assert content.count(b'{"lines"') == 3
    forget_all()
    take_in(content, "all.jsonl")
    log = ImportExecutionLog.objects.get(file_name="bad.csv")
    assert {tuple(row.raw_row_data) for row in log.row_logs.all()} == {(TOO_LONG,)}
    assert "abc" in log.row_logs.get(row_number=3).error_message


def test_cells_come_back_exactly(take_in: TakeIn, tmp_path: Path) -> None:
    odd = ['a\0"\\', "日本\u2028", "", " 1e400 ", "null"]
    log = take_in(file_of(fill()))
    log.row_logs.update(raw_row_data=odd)
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    again = ImportExecutionLog.objects.get(import_batch_id=log.import_batch_id)
    assert again.row_logs.get().raw_row_data == odd


def test_an_import_at_work_is_left_out(take_in: TakeIn, tmp_path: Path) -> None:
    take_in(file_of(fill()))
    ImportExecutionLog.objects.update(status=Status.ROLLING_BACK)
    content = saved(tmp_path)
    assert b'{"import"' not in content
    forget_all()
    assert counts(take_in(content, "all.jsonl")) == (1, 0, 0)


def head(**values: object) -> dict[str, dict[str, object]]:
    usual = dict.fromkeys(OF_IMPORTS, "") | dict.fromkeys(
        ("line_count", "positions_changed", "mends_line", "retry_of", "started_at", "completed_at"),
        None,
    )
    usual |= dict.fromkeys(
        ("processing_time_ms", "rolled_back_at", "rows_deleted_at", "failures_known_at"), None
    )
    usual |= dict.fromkeys(("file_size", "cursor", "trades_created", "skipped_rows"), 0)
    usual |= {"total_rows": 1, "success_rows": 1, "failed_rows": 0}
    usual |= {"dialect": {}, "header": [], "affected_accounts": [], "days": []}
    usual |= {"import_batch_id": "0b0929be-e755-48d2-91f8-43507b80d71d", "import_type": "csv"}
    usual |= {"file_name": "a.csv", "status": "success", "queued_at": "2026-01-05T14:35:03Z"}
    return {"import": usual | {"created_by": None, "rolled_back_by": None} | values}


LINE = [2, "success", "", "", [], ["a", "b"], None]
EXECUTIONS = {"at": "2026-01-05T14:35:03Z", "of": [["Sim101", "exec-1", 2]]}


def backup_of(*parts: dict[str, Any]) -> bytes:
    contents = [{"_metadata": {"format": "tradelog backup", "version": 3}}, trade(), *parts]
    lines = [json.dumps(one).encode() + b"\n" for one in contents]
    kinds = ("position", "import", "lines", "mended", "executions")
    numbers = {kind: sum(kind in part for part in parts) for kind in kinds}
    return b"".join(lines) + end_of(lines, trade=1, **numbers)


def test_what_is_written_by_hand_comes_in(take_in: TakeIn) -> None:
    take_in(backup_of(head(), {"lines": [LINE]}, {"executions": EXECUTIONS}), "mine.jsonl")
    log = ImportExecutionLog.objects.get(file_name="a.csv")
    assert (log.trades_created, log.row_logs.get().raw_row_data) == (1, ["a", "b"])


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([{"import": []}], "expected an object with import_batch_id, "),
        ([{"import": {}}], "expected an object with import_batch_id, "),
        ([head(more=1)], "expected an object with import_batch_id, "),
        ([head(import_batch_id="x")], "badly formed"),
        ([head(import_batch_id=None)], "line 3"),
        ([head(status="running")], "it is running; expected one that has ended"),
        ([head(status="odd")], "not a valid choice"),
        ([head(status="")], "cannot be blank"),
        ([head(import_type="odd")], "not a valid choice"),
        ([head(total_rows=2)], "counters do not add up"),
        ([head(total_rows=-1, success_rows=-1)], "greater than or equal to 0"),
        ([head(total_rows=2**63, success_rows=2**63)], "less than or equal to"),
        ([head(total_rows=1e999)], "must be an integer"),
        ([head(file_name="\0")], "NUL"),
        ([head(file_name="\ud800")], "surrogates not allowed"),
        ([head(file_name="x" * 300)], "at most 255 characters"),
        ([head(queued_at="soon")], "line 3"),
        ([head(queued_at=None)], "it has no queued_at"),
        ([head(header="abc")], "lists of words"),
        ([head(header=[1])], "lists of words"),
        ([head(header={"a": 1})], "lists of words"),
        ([head(file_hash="/etc/passwd")], "a SHA-256"),
        ([head(file_hash="../" * 10)], "a SHA-256"),
        ([head(days=[{"date": "2026-01-05", "file_hash": "/etc/passwd"}])], "a SHA-256"),
        ([head(days=[{"date": "abc"}])], "Invalid isoformat"),
        ([head(processing_time_ms=[])], "words and numbers"),
        ([head(started_at={})], "words and numbers"),
        ([head(started_at="9999-12-31T23:59:59-12:00")], "moments of the years"),
        ([head(queued_at="0001-01-01T00:00:00+14:00")], "moments of the years"),
        ([head(total_rows=2**50, success_rows=2**50)], "smaller numbers"),
        ([head(import_batch_id=5)], "a batch ID"),
        ([head(), head()], "each import once"),
        ([head(), {"lines": [LINE, LINE]}], "each once"),
        ([head(), {"lines": [LINE]}, {"lines": [LINE]}], "each once"),
        ([head(), {"mended": [[2, 3, "", None]] * 2}], "each once"),
        ([head(), {"mended": [[2, 3, "", []]]}], "line 4"),
        ([head(), {"mended": [[2, 3, "", {}]]}], "line 4"),
        ([head(), {"lines": [[*LINE[:6], ["a\0", "b", 3]]]}], "line 4"),
        ([head(), {"executions": EXECUTIONS | {"at": "9999-12-31T23:59:59Z"}}], "moments of"),
        ([head(affected_accounts=[["a"]])], "lists of words"),
        ([head(days=[1])], "line 3"),
        ([head(days=[{"date": 5}])], "argument must be str"),
        ([head(days=5)], "line 3"),
        ([head(retry_of="x")], "badly formed"),
        ([head(created_by=5)], "expected names"),
        ([{"lines": [LINE]}], "stands behind its import"),
        ([head(), {"position": {}}], "stands in front of all imports"),
        ([head(), {"lines": 5}], "line 4"),
        ([head(), {"lines": [5]}], "line 4"),
        ([head(), {"lines": [LINE[:5]]}], "line 4"),
        *(
            ([head(), {"lines": [[*LINE[:place], value, *LINE[place + 1 :]]]}], "line 4")
            for place, values in enumerate(
                [
                    ("2", -1, True, 2**63, None),
                    ("odd", None, []),
                    ("odd", None, {}),
                    (None, 5, "a\0"),
                    ({}, None, [1], [{"field": "a"}], [{"field": 1, "code": "", "error": ""}]),
                    (None, "ab", [1], [["a"]]),
                    (5, [], ["a", "b"], ["a", "b", "c"], [1, "b", 3]),
                ]
            )
            for value in values
        ),
        ([head(), {"mended": [[2, 3, "", ["x", 2]]]}], "badly formed"),
        ([head(), {"mended": [[2, 3, 5, None]]}], "line 4"),
        ([head(), {"executions": []}], "when, and which"),
        ([head(), {"executions": EXECUTIONS | {"at": "2026-01-05"}}], "a moment"),
        ([head(), {"executions": EXECUTIONS | {"at": 5}}], "line 4"),
        ([head(), {"executions": EXECUTIONS | {"of": [["a", "b", "c"]]}}], "number of a line"),
    ],
)
def test_of_logs_that_cannot_be_nothing_is_taken_in(
    take_in: TakeIn, parts: list, words: str
) -> None:
    log = take_in(backup_of(*parts), "odd.jsonl")
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert words in log.error_summary
    assert log.error_summary.startswith("odd.jsonl")
    assert not any(state().values())


@pytest.mark.parametrize("dialect", [[1], {"x": 1}, {"zones": 5}, {"delimiter": ","}])
def test_a_dialect_of_nobody_is_forgotten(
    client: Client, take_in: TakeIn, adam: User, dialect: object
) -> None:
    take_in(backup_of(head(dialect=dialect), {"lines": [LINE]}), "odd.jsonl")
    log = ImportExecutionLog.objects.get(file_name="a.csv")
    assert log.dialect == {}
    client.force_login(adam)
    assert client.get(log.get_absolute_url()).status_code == 200


def test_a_line_that_is_no_json_stops_all(take_in: TakeIn) -> None:
    whole = backup_of(head(), {"lines": [LINE]})
    *lines, _ = whole.splitlines(keepends=True)
    lines[-1] = b'{"lines": [[2, "success"\n'
    numbers = {"position": 0, "import": 1, "lines": 1, "mended": 0, "executions": 0}
    log = take_in(b"".join(lines) + end_of(lines, trade=1, **numbers), "odd.jsonl")
    assert "line 4, is no JSON" in log.error_summary
    assert not any(state().values())


# --- What is seen


def test_the_pages_tell_of_it(
    client: Client, take_in: TakeIn, desk: dict, tmp_path: Path, adam: User
) -> None:
    content = saved(tmp_path)
    forget_all()
    log = take_in(content, "all.jsonl")
    client.force_login(adam)
    one = ImportExecutionLog.objects.get(file_name="old.csv")
    page = client.get(one.get_absolute_url()).content.decode()
    assert f'Brought back by</dt><dd><a class="tl-link" href="{log.get_absolute_url()}"' in page
    page = client.get(log.get_absolute_url()).content.decode()
    assert f"<dt>Brought back</dt><dd>{len(desk)} imports</dd>" in page
    by_account = {one.name: one.taken_in for one in account_counts(log, [], [])}
    assert by_account == Counter(ImportedExecution.objects.values_list("account__name", flat=True))
    question = client.get(reverse("import-rollback", args=[log.pk])).content.decode()
    assert f"{len(desk)} imports that this one brought back go as well." in question
    roll_back(log)
    page = client.get(log.get_absolute_url()).content.decode()
    assert "Rolled back: what it had brought is gone." in page
    with pytest.raises(StateConflict):
        roll_back(log)


def test_the_status_of_its_line(take_in: TakeIn, tmp_path: Path) -> None:
    take_in(file_of(fill()))
    content = saved(tmp_path)
    forget_all()
    log = take_in(content, "all.jsonl")
    row = log.row_logs.order_by("row_number").last()
    assert row.status == RowStatus.SUCCESS
    assert any(cell.endswith(": fills.csv") for cell in row.raw_row_data)
