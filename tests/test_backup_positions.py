"""A backup brings back what users have said of positions, and says so line by line."""

import json
from pathlib import Path

import pytest
from django.test import Client

from batches.models import Batch
from imports import remarks, running
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rollback import roll_back
from imports.states import RowStatus, Status
from imports.storing import Wishes, receive
from tests.conftest import EXAMPLES, TakeIn
from tests.test_backup import (
    US,
    counts,
    end_of,
    forget_all,
    pieces_taken_in,
    saved,
    sealed,
    told_again,
    trade,
)
from trades.models import Account, Position, Trade

TAGS = ["breakout", 'ünï, "quoted"']
NOTES = "Late,\r\n\tagain 日本 "


def told() -> list[tuple[str, str, list[str]]]:
    """What is said, by the first fills of the positions."""
    rows = Position.objects.with_remarks().order_by("first_trade__execution_id")
    return list(rows.values_list("first_trade__execution_id", "notes", "tags"))


@pytest.fixture
def desk(take_in: TakeIn) -> list[tuple]:
    """A log in which three positions have something to say, one of them begun by a reversal."""
    take_in((EXAMPLES / US).read_bytes(), US)
    first, second, *_, last = Position.objects.order_by("pk")
    Position.objects.filter(pk=first.pk).update(notes=NOTES, tags=TAGS)
    Position.objects.filter(pk=second.pk).update(tags=["late"])
    Position.objects.filter(pk=last.pk).update(notes="so it goes")
    return told()


def position(execution_id: str = "exec-1", **values: object) -> dict[str, object]:
    usual = {"account": "Sim101", "instrument": "MNQ 03-26", "execution_id": execution_id}
    return {"position": usual | {"notes": "mine", "tags": ["a"]} | values}


def backup(*lines: object, trades: int, positions: int) -> bytes:
    """A backup of the second version."""
    *content, _ = sealed(*lines, version=2).splitlines(keepends=True)
    return b"".join(content) + end_of(content, trade=trades, position=positions)


def test_an_empty_log_gets_all_that_was_said(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path
) -> None:
    content = saved(tmp_path)
    trades = Trade.objects.count()
    forget_all()
    log = take_in(content, "all.jsonl")
    assert (log.status, counts(log)) == (Status.SUCCESS, (trades + 4, 0, 0)), log.error_summary
    assert told() == desk
    assert told_again(saved(tmp_path)) == told_again(content)


def test_a_second_restore_changes_nothing(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path
) -> None:
    content = saved(tmp_path)
    log = take_in(content, "all.jsonl")
    assert counts(log) == (0, Trade.objects.count() + 4, 0)
    assert told() == desk


def test_a_log_in_use_gets_what_nobody_has_said_there(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path
) -> None:
    content = saved(tmp_path)
    one = Position.objects.with_remarks().order_by("pk").first()
    Position.objects.with_remarks().update(notes="", tags=[])
    Position.objects.filter(pk=one.pk).update(notes="said here")
    log = take_in(content, "all.jsonl")
    assert (log.success_rows, log.trades_created) == (2, 0)
    one.refresh_from_db()
    assert (one.notes, one.tags) == ("said here", [])
    assert len(told()) == 3
    row = log.row_logs.get(error_message__contains="which stay")
    assert (row.status, row.duplicate_of_id) == (RowStatus.SKIPPED, one.first_trade_id)


def test_each_position_is_a_line_with_its_number(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path
) -> None:
    content = saved(tmp_path)
    forget_all()
    log = take_in(content, "all.jsonl")
    rows = {row.row_number: row for row in log.row_logs.all()}
    for number, line in enumerate(content.splitlines(), start=1):
        kind, said = next(iter(json.loads(line).items()))
        if kind == "position":
            cells = rows[number].raw_row_data
            assert cells[:3] == [said["account"], said["instrument"], said["execution_id"]]
            assert cells[-len(said["tags"]) :] == said["tags"] or not said["tags"]
    assert log.row_logs.count() == log.total_rows == log.cursor


def test_a_rollback_takes_back_what_was_said(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path
) -> None:
    content = saved(tmp_path)
    one = Position.objects.with_remarks().order_by("pk").first()
    Position.objects.with_remarks().exclude(pk=one.pk).update(notes="", tags=[])
    before = told()
    log = take_in(content, "all.jsonl")
    Position.objects.filter(notes="so it goes").update(notes="changed since")
    roll_back(log)
    assert [notes for _, notes, _ in told()] == [before[0][1], "changed since"]


def test_a_restore_goes_on_where_it_stopped(
    take_in: TakeIn, desk: list[tuple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path)
    forget_all()
    monkeypatch.setattr(running, "CHUNK", 20)
    monkeypatch.setattr(remarks, "SLICE", 1)
    with (tmp_path / "all.jsonl").open("rb") as source:
        log = receive(source, "all.jsonl", Wishes())
    assert pieces_taken_in(log) >= 5
    assert told() == desk
    log.refresh_from_db()
    assert log.row_logs.count() == log.total_rows == log.cursor == Trade.objects.count() + 4


def test_what_was_said_goes_to_the_position_that_has_the_fill(take_in: TakeIn) -> None:
    early = trade(execution_id="exec-0", executed_at="2026-01-05T14:00:00Z")
    take_in(sealed(early, trade=1), "early.jsonl")
    take_in(backup(trade(), position(), trades=1, positions=1), "late.jsonl")
    assert told() == [("exec-0", "mine", ["a"])]


def test_a_reversal_has_begun_the_second_of_its_positions(take_in: TakeIn) -> None:
    over = trade(
        execution_id="exec-2", side="sell", quantity="3", executed_at="2026-01-05T14:36:00Z"
    )
    lines = [trade(), over, position("exec-2", notes="turned")]
    take_in(backup(*lines, trades=2, positions=1), "all.jsonl")
    assert Position.objects.get(notes="turned").direction == "short"


BAD = {
    "no object": {"position": 1},
    "a word too few": {"position": {"account": "Sim101", "notes": "x"}},
    "notes that are none": position(notes=["x"]),
    "tags that are none": position(tags="a"),
    "a tag that is too long": position(tags=["x" * 51]),
    "half a character": position(notes="\ud800"),
    "NUL": position(tags=["\0"]),
    "a fill that is not there": position("exec-9"),
    "another instrument": position(instrument="ES 03-26"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_fails_alone(take_in: TakeIn, name: str) -> None:
    content = backup(trade(), BAD[name], position(), trades=1, positions=2)
    log = take_in(content, "odd.jsonl")
    assert (log.status, counts(log)) == (Status.PARTIAL, (2, 0, 1)), log.error_summary
    row = log.row_logs.get(status=RowStatus.FAILED)
    assert row.row_number == 3
    assert row.error_message.startswith("line 3: ")
    assert told() == [("exec-1", "mine", ["a"])]
    roll_back(log)
    assert not Trade.objects.exists()


def test_its_page_tells_of_a_bad_line(
    client: Client, admin_client: Client, take_in: TakeIn
) -> None:
    content = backup(trade(), position("exec-9"), trades=1, positions=1)
    log = take_in(content, "odd.jsonl")
    page = admin_client.get(f"{log.get_absolute_url()}").content.decode()
    assert "no position here has the fill" in page


def test_a_trade_behind_positions_stops_all(take_in: TakeIn) -> None:
    log = take_in(backup(position(), trade(), trades=1, positions=1), "odd.jsonl")
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert "stands in front of all positions" in log.error_summary


def test_a_backup_of_positions_alone_knows_their_trades(take_in: TakeIn) -> None:
    take_in(sealed(trade(), trade=1), "old.jsonl")
    log = take_in(backup(position(), trades=0, positions=1), "notes.jsonl")
    assert counts(log) == (1, 0, 0)
    assert told() == [("exec-1", "mine", ["a"])]


def test_a_trade_of_a_batch_comes_back_without_it(take_in: TakeIn, tmp_path: Path) -> None:
    take_in(sealed(trade(), trade=1), "old.jsonl")
    batch = Batch.objects.create(name="Morning")
    Trade.objects.update(batch=batch)
    content = saved(tmp_path)
    assert counts(take_in(content, "same.jsonl")) == (0, 2, 0)
    assert Trade.objects.get().batch == batch
    for model in (Trade, ImportedExecution, ImportRowLog, ImportExecutionLog, Account):
        model.objects.all().delete()
    take_in(content, "all.jsonl")
    assert Trade.objects.get().batch is None
