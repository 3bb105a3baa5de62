"""A backup brings the same trades back, and says so line by line."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from imports import running
from imports.backup import enter
from imports.backuplines import HEADINGS, OF_POSITIONS, OF_TRADES, SETTINGS
from imports.backuplogs import OF_IMPORTS
from imports.claims import Pause
from imports.correctedfile import retry_corrected
from imports.correcting import correct, read_corrected
from imports.export import failed_as_csv
from imports.management.commands import backup as command
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import RowStatus, Status
from imports.storing import Wishes, receive
from tests.conftest import EXAMPLES, TakeIn, file_of, fill, work_off
from trades.models import Account, Instrument, Position, Trade
from trades.positionrows import COMPUTED

US = "ninjatrader-us.csv"
NAMELESS = file_of(fill(ID=""), fill(ID=""), fill(ID="", Price="21351"))
NOTES = 'Late, "again":\r\n\tünï\\code\u2028 and 日本 '
IMPORTS, MADE_BY_HAND = 2, 2  # on the desk
OURS = [field.attname for field in Trade._meta.concrete_fields]
LOCAL = {"id", "created_at", "import_row_log_id", "account_id", "instrument_id"}


def saved(folder: Path, name: str = "all.jsonl") -> bytes:
    """The bytes of a backup of all there is."""
    call_command("backup", str(folder / name), "--force", verbosity=0)
    return (folder / name).read_bytes()


def state() -> dict[str, list[tuple]]:
    """All that a backup has to bring back, without the ids of the rows."""
    names = [name for name in OURS if name not in LOCAL]
    accounts = ("name", "broker", "currency", "timezone", "is_active")
    terms = ("symbol", "root", "expiry", "kind", "currency", "point_value", "tick_size")
    ledger = ImportedExecution.objects.order_by("account__name", "execution_id")
    kept = set(Trade.objects.values_list("pk", flat=True))
    return {
        "trades": list(
            Trade.objects.order_by("pk").values_list("account__name", "instrument__symbol", *names)
        ),
        "ledger": [
            (one.account.name, one.instrument.symbol, one.execution_id, one.trade_id in kept)
            for one in ledger.select_related("account", "instrument")
        ],
        "accounts": list(Account.objects.order_by("name").values_list(*accounts)),
        "instruments": list(Instrument.objects.order_by("symbol").values_list(*terms)),
    }


def forget_all() -> None:
    """An empty database."""
    for model in (Trade, ImportedExecution, ImportRowLog, ImportExecutionLog, Account, Instrument):
        model.objects.all().delete()


def counts(log: ImportExecutionLog) -> tuple[int, int, int]:
    """Taken in, known, failed."""
    return log.success_rows, log.skipped_rows, log.failed_rows


def made_by_hand(execution_id: str = "", **values: Any) -> Trade:
    account, _ = Account.objects.get_or_create(name="Hand")
    instrument, _ = Instrument.objects.get_or_create(symbol="AAPL", root="AAPL", kind="stock")
    usual = {"side": "sell_short", "quantity": Decimal("0.5"), "price": Decimal("-37.6312345678")}
    usual |= {"executed_at": datetime(2026, 1, 5, 14, 35, 3, 123456, UTC), "notes": " by hand\n"}
    return Trade.objects.create(
        account=account, instrument=instrument, execution_id=execution_id, **usual | values
    )


def end_of(lines: list[bytes], /, **counts: int) -> bytes:
    counts = {"account": 0, "instrument": 0, "deleted": 0, "trade": 0} | counts
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    return json.dumps({"_end": {"counts": counts, "sha256": digest}}).encode() + b"\n"


def sealed(*contents: object, version: int = 1, **counts: int) -> bytes:
    """A backup of these lines, with the checksum that it must have."""
    first = {"_metadata": {"format": "tradelog backup", "version": version}}
    lines = [
        one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n"
        for one in (first, *contents)
    ]
    return b"".join(lines) + end_of(lines, **counts)


def trade(**values: object) -> dict[str, object]:
    usual = dict.fromkeys(HEADINGS, "") | {
        "account": "Sim101",
        "instrument": "MNQ 03-26",
        "execution_id": "exec-1",
        "side": "buy",
        "quantity": "1",
        "price": "21350.5",
        "commission": "0.52",
        "executed_at": "2026-01-05T14:35:03Z",
        "reviewed": False,
    }
    return {"trade": usual | values}


@pytest.fixture
def desk(take_in: TakeIn) -> dict[str, list[tuple]]:
    """A database with all that can be in a backup."""
    take_in((EXAMPLES / US).read_bytes(), US)
    take_in(NAMELESS, account="Desk 7")
    noted = Trade.objects.filter(side="buy").order_by("pk")[3]
    Trade.objects.filter(pk=noted.pk).update(notes=NOTES, reviewed=True, name=" spaced ")
    Trade.objects.order_by("pk")[7].delete()
    Account.objects.filter(name="Sim101").update(
        broker="NinjaTrader", currency="USD", timezone="America/Chicago", is_active=False
    )
    Instrument.objects.filter(symbol="MNQ 03-26").update(point_value=Decimal("2.0000000001"))
    made_by_hand()
    made_by_hand("manual-1", quantity=2)
    return state()


# --- There and back


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_an_empty_database_gets_the_same_trades(
    take_in: TakeIn, desk: object, tmp_path: Path, name: str
) -> None:
    content = saved(tmp_path, name)
    before = state()
    forget_all()
    log = take_in(content, name)
    assert (log.status, log.import_type) == (Status.SUCCESS, "backup"), log.error_summary
    assert counts(log) == (len(before["trades"]) + IMPORTS, 0, 0)
    after = state()
    for kind, rows in before.items():
        assert after[kind] == rows
    assert Trade.objects.get(notes=NOTES).reviewed


def test_the_backup_of_a_restored_database_says_the_same(
    take_in: TakeIn, desk: object, tmp_path: Path
) -> None:
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    assert told_again(saved(tmp_path)) == told_again(content)


def told_again(content: bytes) -> list[bytes]:
    """The lines between the first and the last, up to an import that is a restore itself."""
    lines = content.splitlines()[1:-1]
    return list(takewhile(lambda line: b'"import_type": "backup"' not in line, lines))


def test_a_restore_of_deleted_executions_is_no_difference(
    take_in: TakeIn, desk: object, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """They are in the ledger as the import's, which took in no trade for them."""
    content = saved(tmp_path)
    forget_all()
    log = take_in(content, "all.jsonl")
    capsys.readouterr()
    call_command("reconcile", "--fix")
    assert capsys.readouterr().out == "Everything agrees.\n"
    taken_in = ImportExecutionLog.objects.values_list("trades_created", flat=True)
    assert sum(taken_in) == ImportedExecution.objects.count() == len(desk["trades"]) + 1
    assert log.ledger_rows.count() == MADE_BY_HAND


def test_a_second_restore_knows_all_lines(take_in: TakeIn, desk: object, tmp_path: Path) -> None:
    content = saved(tmp_path)
    before = state()
    log = take_in(content, "all.jsonl")
    assert (log.status, counts(log)) == (
        Status.SUCCESS,
        (0, len(before["trades"]) + IMPORTS, 0),
    )
    assert state() == before


def test_the_file_of_the_broker_is_known_after_a_restore(
    take_in: TakeIn, desk: object, tmp_path: Path
) -> None:
    content = saved(tmp_path)
    forget_all()
    take_in(content, "all.jsonl")
    original = take_in((EXAMPLES / US).read_bytes(), US)
    assert counts(original) == (0, original.total_rows, 0)
    assert counts(take_in(NAMELESS, account="Desk 7")) == (0, 3, 0)


def test_a_used_database_gets_what_it_lacks(take_in: TakeIn, desk: object, tmp_path: Path) -> None:
    content = saved(tmp_path)
    everything = state()
    forget_all()
    Account.objects.create(name="Sim101", broker="Mine", currency="EUR")
    known = take_in((EXAMPLES / US).read_bytes(), US)
    log = take_in(content, "all.jsonl")
    assert counts(log) == (
        len(everything["trades"]) + 1 - known.success_rows + IMPORTS,
        known.success_rows - 1,
        0,
    )
    assert Account.objects.get(name="Sim101").broker == "Mine"


def test_each_line_has_its_number_in_the_file(
    take_in: TakeIn, desk: object, tmp_path: Path
) -> None:
    content = saved(tmp_path)
    numbers = [
        number
        for number, line in enumerate(content.splitlines(), start=1)
        if line.startswith((b'{"trade"', b'{"import"'))
    ]
    forget_all()
    log = take_in(content, "all.jsonl")
    rows = log.row_logs.order_by("row_number")
    assert list(rows.values_list("row_number", flat=True)) == numbers
    assert log.total_rows == len(numbers)


def test_a_restore_is_rolled_back(take_in: TakeIn, desk: object, tmp_path: Path) -> None:
    content = saved(tmp_path)
    before = state()
    forget_all()
    roll_back(take_in(content, "all.jsonl"))
    assert not Trade.objects.exists()
    assert not ImportedExecution.objects.exists()
    take_in(content, "all.jsonl")
    assert state() == before


def test_a_restore_goes_on_where_it_stopped(
    take_in: TakeIn, desk: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = saved(tmp_path, "all.jsonl.gz")
    before = state()
    forget_all()
    monkeypatch.setattr(running, "CHUNK", 7)
    (tmp_path / "stored").write_bytes(content)
    with (tmp_path / "stored").open("rb") as source:
        log = receive(source, "all.jsonl.gz", Wishes())
    assert pieces_taken_in(log) > 3
    assert state() == before


def pieces_taken_in(log: ImportExecutionLog) -> int:
    """Pause after each chunk and go on until the end; how often."""

    def pause(log: ImportExecutionLog) -> None:
        raise Pause

    times = 0
    while log.status in (Status.QUEUED, Status.RUNNING):
        log = run_import(log.pk, on_progress=pause)
        times += 1
    return times


def test_nothing_is_written_by_a_rehearsal(take_in: TakeIn, desk: object, tmp_path: Path) -> None:
    saved(tmp_path)
    forget_all()
    call_command("import_csv", str(tmp_path / "all.jsonl"), "--dry-run", verbosity=0)
    assert not any(state().values())


def test_an_empty_log_has_a_backup(take_in: TakeIn, tmp_path: Path) -> None:
    assert take_in(saved(tmp_path), "none.jsonl").status == Status.SUCCESS


def test_a_backup_leaves_nothing_out() -> None:
    """Who gives a model a field decides whether it is in a backup.

    Batches are not in it, so a trade cannot tell which has made it.
    """
    names = {field.name for field in Trade._meta.concrete_fields}
    told = {path.partition("__")[0] for path in OF_TRADES.values()}
    assert names - told == {"id", "created_at", "import_row_log", "batch"}
    for model, fields in SETTINGS.values():
        names = {field.name for field in model._meta.concrete_fields}
        assert names - set(fields) - {"states_positions"} == {"id"}  # that is computed
    names = {field.attname for field in Position._meta.concrete_fields}
    assert names - set(OF_POSITIONS) == {"id", "account_id", "instrument_id", *COMPUTED}
    names = {field.name for field in ImportExecutionLog._meta.concrete_fields}
    assert names - set(OF_IMPORTS) == {"id", "owner", "lease_until", "attempt", "restored_by"}


# --- Identities


def test_a_trade_made_by_hand_keeps_the_identity_that_a_backup_gave_it(
    db: None, tmp_path: Path
) -> None:
    one = made_by_hand()
    first = saved(tmp_path)
    one.refresh_from_db()
    assert one.execution_id.startswith("hand:")
    assert ImportedExecution.objects.get(execution_id=one.execution_id).trade_id == one.pk
    assert saved(tmp_path).splitlines()[1:-1] == first.splitlines()[1:-1]


def test_an_identity_that_is_another_trades_is_not_given_twice(
    db: None, tmp_path: Path, take_in: TakeIn
) -> None:
    first, second = made_by_hand("same"), made_by_hand("same", price=3)
    content = saved(tmp_path)
    before = state()
    assert {one for _, _, one, _ in before["ledger"]} > {"same"}
    assert len(before["ledger"]) == len({first.pk, second.pk})
    forget_all()
    take_in(content)
    assert state() == before


def test_a_trade_by_hand_that_is_deleted_meanwhile_is_not_entered(db: None) -> None:
    read = [made_by_hand(), made_by_hand("same")]
    Trade.objects.all().delete()
    for trade in read:
        enter(trade)
    assert not ImportedExecution.objects.exists()


# --- Lines that are not as they should be


BAD = {
    "invalid_quantity": {"quantity": "abc"},
    "invalid_price": {"price": ""},
    "unknown_action": {"side": "hold"},
    "invalid_timestamp": {"executed_at": "yesterday"},
    "missing_id": {"execution_id": None},
    "missing_account": {"account": ""},
    "invalid_flag": {"reviewed": "perhaps"},
    "row_too_long": {"mood": "good"},
    "row_too_short": {"price": ["1"]},
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_line_fails_alone(take_in: TakeIn, code: str) -> None:
    bad = trade(execution_id="exec-2") | {
        "trade": trade(execution_id="exec-2")["trade"] | BAD[code]
    }
    content = sealed(trade(), bad, trade(execution_id="exec-3"), trade=3)
    log = take_in(content, "odd.jsonl")
    assert (log.status, counts(log)) == (Status.PARTIAL, (2, 0, 1)), log.error_summary
    row = log.row_logs.get(status=RowStatus.FAILED)
    assert row.row_number == 3
    assert [error["code"] for error in row.validation_errors] == [code]


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b'{"trade": 1}\n',
        b'{"trade": {"notes": "\\ud800"}}\n',
        b'{"trade": {"notes": "\\u0000"}}\n',
        b"[" * 5000 + b"\n",
        b'{"a": 1, "trade": {}}\n',
    ],
)
def test_a_line_that_is_no_trade_fails_alone(take_in: TakeIn, line: bytes) -> None:
    log = take_in(sealed(line, trade(), trade=2), "odd.jsonl")
    assert counts(log) == (1, 0, 1)


def test_a_known_trade_that_says_something_else_is_a_conflict(take_in: TakeIn) -> None:
    take_in(sealed(trade(), trade=1), "one.jsonl")
    log = take_in(sealed(trade(price="1"), trade=1), "other.jsonl")
    row = log.row_logs.get()
    assert (row.status, row.validation_errors[0]["code"]) == (RowStatus.FAILED, "conflict")


def test_numbers_are_kept_to_the_last_digit(take_in: TakeIn) -> None:
    line = (
        b'{"trade": ' + json.dumps(trade()["trade"]).replace('"21350.5"', "1.234").encode() + b"}\n"
    )
    take_in(sealed(line, trade=1), "one.jsonl")
    assert Trade.objects.get().price == Decimal("1.234")


@pytest.mark.parametrize("end", ["Z", "", "+00:00"])
def test_times_are_in_utc_whatever_the_zone_of_the_account(take_in: TakeIn, end: str) -> None:
    Account.objects.create(name="Sim101", timezone="America/Chicago")
    first = trade(executed_at="2026-01-05T14:35:03Z")
    other = trade(execution_id="b", executed_at=f"2026-01-05T23:59:59.5{end}")
    take_in(sealed(first, other, trade=2))
    last = Trade.objects.get(execution_id="b")
    assert last.executed_at == datetime(2026, 1, 5, 23, 59, 59, 500_000, UTC)


def test_very_long_notes_survive(take_in: TakeIn, tmp_path: Path) -> None:
    take_in(file_of(fill()))
    notes = "so long\n" * 100_000
    Trade.objects.update(notes=notes)
    content = saved(tmp_path)
    forget_all()
    take_in(content)
    assert Trade.objects.get().notes == notes


# --- Files that are no whole backup


def cut(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "without its end": (cut, "is not whole: it ends with line"),
    "in the middle of a line": (lambda content: content[:-40], "is not whole"),
    "changed": (
        lambda content: content.replace(b'"21350.5"', b'"21350.6"'),
        "was changed or damaged",
    ),
    "with a line more": (lambda content: content + b"{}\n", "behind the end"),
    "without a line": (
        lambda content: b"".join(
            content.splitlines(keepends=True)[:-2] + content.splitlines(True)[-1:]
        ),
        "was changed or damaged",
    ),
    "not UTF-8": (lambda content: content.replace(b"MNQ", b"M\xffQ"), "is no UTF-8"),
    "with NUL": (lambda content: content.replace(b"MNQ", b"M\0Q"), "has a NUL byte"),
    "compressed and cut": (lambda content: gzip.compress(content)[:-9], "is damaged"),
    "of another version": (
        lambda content: sealed(trade(), trade=1, version=4),
        "version '4'; expected a tradelog backup, version 3 or less",
    ),
    "with other counts": (lambda content: sealed(trade(), trade=2), "counts other lines"),
    "out of order": (
        lambda content: sealed(trade(), {"account": {}}, trade=1, account=1),
        "stands in front of all trades",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_of_a_damaged_backup_nothing_is_taken_in(take_in: TakeIn, damage: str) -> None:
    change, words = DAMAGED[damage]
    log = take_in(change(sealed(trade(), trade(execution_id="b"), trade=2)), "bad.jsonl")
    assert (log.status, log.total_rows, log.import_type) == (Status.FAILED, 0, "backup")
    assert words in log.error_summary
    assert log.error_summary.startswith("bad.jsonl ")
    assert not any(state().values())


def test_an_account_that_cannot_be_made_stops_all(take_in: TakeIn) -> None:
    good = {"name": "A", "broker": "", "currency": "", "timezone": "", "is_active": True}
    bad = good | {"name": "B", "timezone": "Mars/Olympus"}
    content = sealed({"account": good}, {"account": bad}, trade(), account=2, trade=1)
    log = take_in(content, "bad.jsonl")
    assert log.status == Status.FAILED
    assert "line 3: this account cannot be made: timezone: 'Mars/Olympus'" in log.error_summary
    assert not any(state().values())


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("instrument", "expiry", [1]),
        ("instrument", "expiry", True),
        ("instrument", "point_value", {"a": 1}),
        ("account", "is_active", "yes"),
        ("account", "broker", [[[]]]),
    ],
)
def test_a_place_that_says_no_word_stops_all(
    take_in: TakeIn, kind: str, name: str, value: object
) -> None:
    places = {
        "account": dict.fromkeys(("name", "broker", "currency", "timezone"), "")
        | {"name": "A", "is_active": True},
        "instrument": dict.fromkeys(("symbol", "root", "kind", "currency"), "")
        | {"symbol": "AAPL", "kind": "stock", "expiry": None, "point_value": None}
        | {"tick_size": None},
    }
    log = take_in(sealed({kind: places[kind] | {name: value}}, **{kind: 1}), "bad.jsonl")
    assert log.status == Status.FAILED
    assert f"this {kind} cannot be made: expected words" in log.error_summary
    assert not any(state().values())


def test_a_deleted_execution_of_nobody_stops_all(take_in: TakeIn) -> None:
    gone = {"account": "A", "instrument": "AAPL", "execution_id": "1"}
    log = take_in(sealed({"deleted": gone}, trade(), deleted=1, trade=1), "bad.jsonl")
    assert log.status == Status.FAILED
    assert "a deleted execution of 'A'" in log.error_summary
    assert not any(state().values())


def test_a_bomb_is_not_unpacked(take_in: TakeIn, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 1
    padding = b'{"trade": {"notes": "' + b"x" * 100_000 + b'"}}\n'
    bomb = gzip.compress(sealed(*[padding] * 200, trade=200))
    assert len(bomb) < 100_000
    log = take_in(bomb, "bomb.jsonl.gz")
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert "larger than 1 MB" in log.error_summary


def test_a_line_without_end_is_not_read_to_its_end(take_in: TakeIn) -> None:
    start = sealed().splitlines(keepends=True)[0]
    log = take_in(gzip.compress(start + b" " * (40 << 20)), "bomb.jsonl.gz")
    assert log.status == Status.FAILED
    assert "line 2 is longer than" in log.error_summary


def test_another_compressed_file_is_no_backup(take_in: TakeIn) -> None:
    log = take_in(gzip.compress(file_of(fill()).encode()), "fills.csv.gz")
    assert "is a compressed file, not a text file" in log.error_summary
    assert log.import_type == "csv"


# --- Bad lines, mended


def test_a_failed_line_is_corrected_in_place(take_in: TakeIn, olga: User) -> None:
    content = sealed(trade(), trade(execution_id="b", quantity="abc", notes=NOTES), trade=2)
    log = take_in(content, "odd.jsonl")
    row = log.row_logs.get(row_number=3)
    cells = ["7" if cell == "abc" else cell for cell in row.raw_row_data]
    new = correct(row, read_corrected(log, row, cells), olga)
    assert (new.status, new.import_type, counts(new)) == (Status.SUCCESS, "backup", (1, 0, 0))
    mended = Trade.objects.get(execution_id="b")
    assert (mended.quantity, mended.notes) == (7, NOTES)


def test_failed_lines_come_back_as_csv(take_in: TakeIn) -> None:
    content = sealed(trade(), trade(execution_id="b", quantity="abc", reviewed=True), trade=2)
    log = take_in(content, "odd.jsonl")
    csv = "".join(failed_as_csv(log)).replace("abc", "7", 1)
    new = run_import(retry_corrected(log, io.BytesIO(csv.encode()), "corrected.csv").pk)
    assert (new.import_type, counts(new)) == ("backup", (1, 0, 0))
    assert Trade.objects.get(execution_id="b").reviewed


def test_a_restore_is_retried(take_in: TakeIn) -> None:
    log = take_in(sealed(trade(), trade(execution_id="b", quantity="abc"), trade=2), "odd.jsonl")
    assert counts(run_import(retry(log).pk)) == (0, 1, 1)


def test_a_restore_has_its_page(client: Client, take_in: TakeIn, olga: User) -> None:
    client.force_login(olga)
    log = take_in(sealed(trade(), trade(execution_id="b", quantity="abc"), trade=2), "odd.jsonl")
    page = client.get(log.get_absolute_url()).content.decode()
    assert "tradelog backup" in page
    assert "is not a number" in page
    assert "decimal point" not in page


def test_the_page_takes_a_backup(client: Client, olga: User) -> None:
    client.force_login(olga)
    file = SimpleUploadedFile("all.jsonl.gz", gzip.compress(sealed(trade(), trade=1)))
    assert client.post(reverse("import-upload"), {"files": file}).status_code == 302
    work_off()
    log = ImportExecutionLog.objects.get()
    assert (log.import_type, log.status) == ("backup", Status.SUCCESS)


# --- The command


def test_no_file_is_replaced_unless_told(db: None, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("dear to me")
    with pytest.raises(CommandError, match="exists already.*--force"):
        call_command("backup", str(path))
    assert path.read_text() == "dear to me"
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_that_breaks_off_leaves_the_old_one(
    take_in: TakeIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(file_of(fill()))
    before = saved(tmp_path)
    monkeypatch.setattr(command.Bar, "__call__", lambda self, done, of: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved(tmp_path)
    assert (tmp_path / "all.jsonl").read_bytes() == before
    assert len(list(tmp_path.glob("*backup*"))) == 0


def test_a_folder_that_is_not_there_is_told(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("backup", str(tmp_path / "no" / "all.jsonl"))


def test_the_command_says_how_many(
    desk: object, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    saved(tmp_path)
    words = capsys.readouterr().out
    assert words.startswith(f"all.jsonl: {len(desk['trades'])} trades, ")
    assert "1 deleted execution, 2 imports in " in words
