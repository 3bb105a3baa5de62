"""Executions of some days out of a source: each day's outcome, identity, retry, rollback."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from imports import fetching, sourcelines
from imports.cancel import cancel
from imports.claims import Pause
from imports.daterange import problem_of, receive_range
from imports.days import read_days
from imports.models import ImportedExecution, ImportExecutionLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import RowStatus, StateConflict, Status
from tests.conftest import TakeIn, file_of, fill
from tests.fillsource import QUERY, FillSource, use
from tests.processes import database_url
from trades.models import Trade

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 1, 5), date(2026, 1, 7)


@pytest.fixture
def source(tmp_path: Path, settings: object) -> FillSource:
    """Two fills on the 5th, none on the 6th, one on the 7th."""
    source = FillSource(tmp_path / "desk.sqlite3").prepare()
    source.fill("a", "2026-01-05 14:35:03")
    source.fill("b", "2026-01-05 23:59:59.999999", BS="Sell", Fee=None)
    source.fill("c", "2026-01-07 00:00:00", Px=21350.25, Qty=2)
    use(settings, source.as_setting())
    return source


def taken(start: date = FIRST, end: date = LAST) -> ImportExecutionLog:
    return run_import(receive_range(start, end).pk)


def again(log: ImportExecutionLog) -> ImportExecutionLog:
    return run_import(retry(log).pk)


def outcome(log: ImportExecutionLog) -> list[tuple[str, str, int]]:
    return [(day.date, day.status, day.rows) for day in read_days(log.days)]


def counts(log: ImportExecutionLog) -> tuple[str, int, int, int]:
    return log.status, log.success_rows, log.skipped_rows, log.failed_rows


def trades() -> list[tuple]:
    columns = ("account__name", "execution_id", "instrument__symbol", "side", "quantity", "price")
    return list(
        Trade.objects.order_by("execution_id").values_list(*columns, "commission", "executed_at")
    )


# --- What comes in


def test_each_day_is_taken_in_and_told(source: FillSource) -> None:
    log = taken()
    assert counts(log) == (Status.SUCCESS, 3, 0, 0)
    assert outcome(log) == [
        ("2026-01-05", "done", 2),
        ("2026-01-06", "done", 0),
        ("2026-01-07", "done", 1),
    ]
    assert (log.import_type, log.file_name) == (
        "date_range",
        "executions-2026-01-05-to-2026-01-07.csv",
    )


def test_values_are_those_of_the_source(source: FillSource) -> None:
    taken()
    assert [[str(value) for value in row[3:]] for row in trades()] == [
        ["buy", "1.0000000000", "21350.5000000000", "0.5200000000", "2026-01-05 14:35:03+00:00"],
        [
            "sell",
            "1.0000000000",
            "21350.5000000000",
            "0E-10",
            "2026-01-05 23:59:59.999999+00:00",
        ],
        ["buy", "2.0000000000", "21350.2500000000", "0.5200000000", "2026-01-07 00:00:00+00:00"],
    ]


def test_the_stored_bytes_are_what_the_source_said(source: FillSource) -> None:
    log = taken(FIRST, FIRST)
    assert log.stored_path.read_text().splitlines() == [
        "Day,Execution ID,Account,Instrument,Side,Quantity,Price,Commission,Executed At",
        "2026-01-05,a,Sim101,MNQ 03-26,Buy,1,21350.5,0.52,2026-01-05 14:35:03Z",
        "2026-01-05,b,Sim101,MNQ 03-26,Sell,1,21350.5,,2026-01-05 23:59:59.999999Z",
    ]


def test_days_are_those_of_the_zone_of_the_source(source: FillSource, settings: object) -> None:
    use(settings, source.as_setting() | {"TIMEZONE": "America/Chicago"})
    log = taken(FIRST, FIRST)
    assert outcome(log) == [("2026-01-05", "done", 2)]
    assert Trade.objects.get(execution_id="a").executed_at == datetime(
        2026, 1, 5, 20, 35, 3, tzinfo=UTC
    )


def test_the_day_on_which_the_clocks_are_put_back_has_25_hours(
    source: FillSource, settings: object
) -> None:
    use(settings, source.as_setting() | {"TIMEZONE": "America/Chicago"})
    source.fill("late", "2025-11-02 23:30:00")
    source.fill("next", "2025-11-03 00:00:00")
    log = taken(date(2025, 11, 2), date(2025, 11, 3))
    assert [rows for _, _, rows in outcome(log)] == [1, 1]


def test_days_without_executions_are_a_success_that_says_so(source: FillSource) -> None:
    log = taken(date(2026, 1, 6), date(2026, 1, 6))
    assert (log.status, log.total_rows) == (Status.SUCCESS, 0)
    assert log.error_summary == "The source has no executions in this time."


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"Qty": "many"}, "invalid_quantity"),
        ({"Px": "1,5"}, "invalid_price"),
        ({"Acct": None}, "missing_account"),
        ({"Symbol": " "}, "missing_instrument"),
        ({"BS": "maybe"}, "unknown_action"),
        ({"FillID": "x" * 201}, "too_long"),
    ],
)
def test_a_row_that_cannot_be_read_fails_alone(
    source: FillSource, bad: dict[str, object], code: str
) -> None:
    source.fill(**{"fill_id": "bad", "at": "2026-01-05 15:00:00"} | bad)
    log = taken(FIRST, FIRST)
    assert counts(log) == (Status.PARTIAL, 2, 0, 1)
    row = log.row_logs.get(status=RowStatus.FAILED)
    assert [error["code"] for error in row.validation_errors] == [code]


def test_a_time_that_the_source_refuses_never_passes(source: FillSource) -> None:
    """The engine could read it, as a time of another zone and perhaps of another month."""
    source.fill("odd", "2026-01-05 at noon")
    source.fill("us", "2026-01-05 99:00")
    log = taken(FIRST, FIRST)
    assert (log.success_rows, log.failed_rows) == (2, 2)


def test_line_breaks_and_nul_in_a_text_stop_nothing(source: FillSource) -> None:
    source.fill("c1", "2026-01-05 15:00:00", Acct="Desk\r\nA\0")
    log = taken(FIRST, FIRST)
    assert log.total_rows == log.line_count - 1 == 3
    assert log.success_rows == 2 + Trade.objects.filter(account__name__startswith="Desk").count()


def test_an_empty_row_is_a_failed_line(source: FillSource) -> None:
    blank = dict.fromkeys(("Acct", "Symbol", "BS", "Qty", "Px", "Fee"))
    source.fill(None, "2026-01-05 15:00:00", **blank)
    log = taken(FIRST, FIRST)
    assert (log.total_rows, log.failed_rows) == (3, 1)


# --- Known again


def test_the_same_days_twice_change_nothing(source: FillSource) -> None:
    taken()
    before = trades()
    assert counts(taken(date(2026, 1, 1), date(2026, 1, 30))) == (Status.SUCCESS, 0, 3, 0)
    assert trades() == before
    assert ImportedExecution.objects.count() == 3


def test_twins_without_ids_survive_and_are_known_again(source: FillSource) -> None:
    for _ in range(2):
        source.fill(None, "2026-01-06 09:00:00")
    assert taken(date(2026, 1, 6), date(2026, 1, 6)).success_rows == 2
    assert counts(taken()) == (Status.SUCCESS, 3, 2, 0)


SAME = fill(ID="a", Time="1/5/2026 6:35:03 AM"), fill(ID="z", Time="1/5/2026 6:40:00 AM")


def test_a_file_before_is_known(source: FillSource, take_in: TakeIn) -> None:
    take_in(file_of(*SAME))
    log = taken()
    assert counts(log) == (Status.SUCCESS, 2, 1, 0)
    row = log.row_logs.get(status=RowStatus.SKIPPED)
    assert row.duplicate_of == Trade.objects.get(execution_id="a")


def test_a_file_behind_is_known(source: FillSource, take_in: TakeIn) -> None:
    taken()
    assert counts(take_in(file_of(*SAME))) == (Status.SUCCESS, 1, 1, 0)


def test_the_stored_file_can_be_imported_elsewhere(source: FillSource, take_in: TakeIn) -> None:
    first = taken()
    content = first.stored_path.read_bytes()
    roll_back(first)
    log = take_in(content, name="from-the-desk.csv")
    assert counts(log) == (Status.SUCCESS, 3, 0, 0)


# --- Days that fail


def test_a_day_in_the_middle_that_fails_makes_it_partial(source: FillSource) -> None:
    source.fill("d", "2026-01-06 12:00:00")
    source.spoil("2026-01-06")
    log = taken()
    assert counts(log) == (Status.PARTIAL, 3, 0, 0)
    assert [status for _, status, _ in outcome(log)] == ["done", "failed", "done"]
    assert log.error_summary.startswith("1 of 3 days could not be had: 2026-01-06 (")
    assert "overflow" in log.days[1]["error"]


def test_a_retry_asks_for_the_failed_day_alone(
    source: FillSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.fill("d", "2026-01-06 12:00:00")
    source.spoil("2026-01-06")
    log = taken()
    source.mend()
    asked: list[str] = []
    real = fetching.write_day
    monkeypatch.setattr(
        fetching,
        "write_day",
        lambda log, day, *rest, **more: asked.append(day.date) or real(log, day, *rest, **more),
    )
    new = again(log)
    assert asked == ["2026-01-06"]
    assert counts(new) == (Status.SUCCESS, 1, 3, 0)
    assert [status for _, status, _ in outcome(new)] == ["done"] * 3
    assert (new.retry_of, log.status) == (log, Status.PARTIAL)


def test_a_retry_reads_the_failed_lines_of_the_other_days_again(source: FillSource) -> None:
    source.fill("bad", "2026-01-05 15:00:00", Qty="many")
    log = taken()
    assert counts(again(log)) == (Status.PARTIAL, 0, 3, 1)


def test_a_source_that_is_gone_fails_with_its_reason(source: FillSource) -> None:
    source.path.unlink()
    log = taken()
    assert (log.status, log.total_rows) == (Status.FAILED, 0)
    assert log.error_summary.startswith("3 of 3 days could not be had: 2026-01-05, 2026-01-06, ")


def test_a_source_that_comes_back_is_asked_again(source: FillSource) -> None:
    kept = source.path.rename(source.path.with_name("away"))
    log = taken()
    kept.rename(source.path)
    assert counts(again(log)) == (Status.SUCCESS, 3, 0, 0)


def test_a_column_that_is_gone_is_named(source: FillSource, settings: object) -> None:
    use(settings, source.as_setting() | {"QUERY": "SELECT FillID FROM fills"})
    assert "Acct" in taken().error_summary


def test_a_query_that_does_not_ask_for_the_day_is_told(
    source: FillSource, settings: object
) -> None:
    use(settings, source.as_setting() | {"QUERY": "SELECT * FROM fills"})
    log = taken(FIRST, FIRST)
    assert log.status == Status.FAILED
    assert ":start" in log.error_summary


def test_no_password_is_ever_told(settings: object) -> None:
    url = "postgresql://desk:s3cret-word@127.0.0.1:9/desk"
    wishes = {"URL": url, "QUERY": QUERY, "COLUMNS": "", "TIMEZONE": "UTC"}
    use(settings, wishes)
    log = taken(FIRST, FIRST)
    assert log.status == Status.FAILED
    assert "s3cret-word" not in str(log.days) + log.error_summary


def test_a_day_that_takes_too_long_fails(
    source: FillSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LONGEST_DAY", -1)
    assert outcome(taken()) == [
        ("2026-01-05", "failed", 0),
        ("2026-01-06", "done", 0),
        ("2026-01-07", "failed", 0),
    ]


# --- PostgreSQL as the source


@pytest.fixture
def postgres(settings: object, transactional_db: None) -> None:
    """The tests' own database, in which there is a table of somebody else."""
    if connection.vendor != "postgresql":
        pytest.skip("the tests run on another database")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE desk_fills AS SELECT * FROM (VALUES"
            " ('a', 'Sim101', 'MNQ 03-26', 'B', 1, 21350.50, 0.52,"
            " timestamptz '2026-01-05 14:35:03+00'),"
            " ('b', 'Sim101', 'MNQ 03-26', 'S', 1, 21351.25, NULL,"
            " timestamptz '2026-01-06 23:59:59.5+00')) AS fills"
            " (execution_id, account, instrument, side, quantity, price, commission, executed_at)"
        )
    columns = "execution_id,account,instrument,side,quantity,price,commission,executed_at"
    wishes = {
        "URL": database_url(),
        "QUERY": f"SELECT {columns} FROM desk_fills WHERE executed_at AT TIME ZONE 'UTC' >= :start"
        " AND executed_at AT TIME ZONE 'UTC' < :end ORDER BY executed_at",
        "COLUMNS": ",".join(f"{name}={name}" for name in columns.split(",")),
        "TIMEZONE": "UTC",
    }
    use(settings, wishes)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE desk_fills")


def test_days_of_a_postgresql_database(postgres: None) -> None:
    log = taken()
    assert counts(log) == (Status.SUCCESS, 2, 0, 0), log.error_summary
    assert [rows for _, _, rows in outcome(log)] == [1, 1, 0]
    assert [row[3] for row in trades()] == ["buy", "sell"]


def test_a_server_that_hangs_up_in_the_middle(postgres: None, settings: object) -> None:
    """Of 2,000 more rows of the 6th, it gives 1,500."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO desk_fills SELECT number::text, 'Sim101', 'MNQ 03-26', 'B', 1, number, 0,"
            " timestamptz '2026-01-06 09:00+00' FROM generate_series(1, 2000) AS number"
        )
    wishes = settings.TRADELOG_SOURCES["EXECUTIONS"]
    query = wishes["QUERY"].partition(" ORDER BY")[0]
    hang_up = " AND (price <> 1500 OR pg_terminate_backend(pg_backend_pid()))"
    use(settings, wishes | {"QUERY": query + hang_up})
    log = taken()
    assert counts(log) == (Status.PARTIAL, 1, 0, 0)
    assert [status for _, status, _ in outcome(log)] == ["done", "failed", "done"]
    use(settings, wishes)
    assert counts(again(log)) == (Status.SUCCESS, 2001, 1, 0)


# --- A file as the source


def test_a_file_gives_each_day_its_rows(tmp_path: Path, settings: object) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(
        "execution_id,account,instrument,side,quantity,price,executed_at\n"
        "a,Sim101,MNQ 03-26,Buy,1,21350.50,2026-01-05 14:35:03\n"
        "b,Sim101,MNQ 03-26,Buy,1,21350.50,2026-01-06 14:35:03\n"
        "c,Sim101,MNQ 03-26,Buy,1,21350.50,soon\n"
    )
    mapping = "execution_id,account,instrument,side,quantity,price,executed_at"
    columns = ",".join(f"{name}={name}" for name in mapping.split(","))
    use(settings, {"URL": str(path), "QUERY": "", "COLUMNS": columns, "TIMEZONE": "UTC"})
    log = taken(date(2026, 1, 6), date(2026, 1, 7))
    assert outcome(log) == [("2026-01-06", "done", 2), ("2026-01-07", "done", 0)]
    assert counts(log) == (Status.PARTIAL, 1, 0, 1)
    assert "Commission" not in log.header


# --- Stops, rollback


def test_it_pauses_between_days_and_goes_on(source: FillSource) -> None:
    log = receive_range(FIRST, LAST)

    def pause(_: ImportExecutionLog) -> None:
        raise Pause

    paused = run_import(log.pk, on_progress=pause)
    assert (paused.status, paused.owner) == (Status.RUNNING, "")
    assert [status for _, status, _ in outcome(paused)] == ["done", "waiting", "waiting"]
    assert counts(run_import(log.pk)) == (Status.SUCCESS, 3, 0, 0)


def test_it_is_cancelled_between_days_and_retried(source: FillSource, olga: User) -> None:
    log = receive_range(FIRST, LAST)
    run_import(log.pk, on_progress=lambda log: cancel(log, olga))
    log.refresh_from_db()
    assert (log.status, log.file_hash) == (Status.CANCELLED, "")
    assert not Trade.objects.exists()
    assert counts(again(log)) == (Status.SUCCESS, 3, 0, 0)


def test_rollback_and_again_gives_the_same_trades(source: FillSource) -> None:
    log = taken()
    before = trades()
    roll_back(log)
    assert not Trade.objects.exists()
    assert counts(taken()) == (Status.SUCCESS, 3, 0, 0)
    assert trades() == before


def test_other_columns_than_before_bring_all_days_anew(
    source: FillSource, settings: object
) -> None:
    source.fill("d", "2026-01-06 12:00:00")
    source.spoil("2026-01-06")
    log = taken()
    source.mend()
    wishes = source.as_setting()
    use(settings, wishes | {"COLUMNS": wishes["COLUMNS"].replace("commission=Fee,", "")})
    new = again(log)
    assert counts(new) == (Status.SUCCESS, 1, 3, 0)
    assert "Commission" not in new.header


# --- What may be asked for


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((2026, 1, 2), (2026, 1, 1), "is before"),
        ((2026, 1, 1), (2026, 1, 31), "31 days; at most 30"),
        ((2090, 1, 1), (2090, 1, 2), "has not begun"),
    ],
)
def test_a_range_that_cannot_be_asked_for(start: tuple, end: tuple, words: str) -> None:
    field, sentence = problem_of(date(*start), date(*end))
    assert field == "end_date"
    assert words in sentence


def test_thirty_days_can_be_asked_for() -> None:
    assert problem_of(date(2026, 1, 1), date(2026, 1, 30)) is None


def test_without_a_source_nothing_can_be_asked(settings: object) -> None:
    use(settings, {"URL": "", "QUERY": "", "COLUMNS": "", "TIMEZONE": "UTC"})
    with pytest.raises(StateConflict, match="TRADELOG_EXECUTIONS_URL"):
        receive_range(FIRST, LAST)


def test_a_broken_mapping_is_told_by_the_import(source: FillSource, settings: object) -> None:
    use(settings, source.as_setting() | {"COLUMNS": "moon=Moon"})
    log = taken()
    assert log.status == Status.FAILED
    assert "moon" in log.error_summary


# --- The command


def test_the_command_says_what_came_of_it(
    source: FillSource, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_date_range", "2026-01-05", "2026-01-07")
    assert "executions-2026-01-05-to-2026-01-07.csv: 3 taken in" in capsys.readouterr().out


def test_the_command_leaves_the_work_to_a_worker(source: FillSource) -> None:
    call_command("import_date_range", "2026-01-05", "2026-01-05", "--background")
    assert ImportExecutionLog.objects.get().status == Status.QUEUED


@pytest.mark.parametrize("end", ["2026-01-04", "2026-03-01"])
def test_the_command_refuses_what_cannot_be_asked_for(end: str) -> None:
    with pytest.raises(CommandError):
        call_command("import_date_range", "2026-01-05", end)


def test_the_command_fails_if_nothing_could_be_had(source: FillSource) -> None:
    source.path.unlink()
    with pytest.raises(CommandError):
        call_command("import_date_range", "2026-01-05", "2026-01-05")


def test_the_cells_of_a_row_that_passes_all_the_same_are_refused() -> None:
    """The source says no to `$5`, which the engine would read."""
    assert sourcelines.can_be_read(sourcelines.BY_FIELD["price"], "$5")
    assert not sourcelines.tells("price", {"price": "$5"})
