"""The lines that are read by the column end as if each had been read alone."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imports import gathering, running
from imports.body import Rows
from imports.bycolumn import Column, ColumnReader, as_in_columns
from imports.chunks import as_json
from imports.models import ImportExecutionLog, JSONTextField
from imports.moments import read_moment, to_utc
from imports.wallclock import WallClock, as_text
from tests.conftest import HEADER, TakeIn, fill
from tests.test_identity import execution

# The first is the usual one.
CELLS = {
    "Instrument": ["MNQ 03-26", "MNQH6", "ES 03-26", " MNQ 03-26", "AAPL", "", "\u200b", "x" * 41],
    "Action": ["Buy", "SELL", " Buy To Cover ", "Hold"],
    "Quantity": ["1", "2", "1.0", " 1", "0", "-1", "abc", "1,000", ""],
    "Price": ["21350.50", "$21350.50", "21350.5", "21,350.50", "(1.25)", "1e5", "7200,75"],
    "Time": [
        "1/5/2026 6:35:03 AM",
        "1/5/2026 11:59:59 PM",
        "1/5/2026 6:35 AM",
        "1/5/2026  6:35:03 AM",
        "1/5/2026 6:35:03.250 AM",
        "2026-01-05 06:35:03",
        "2026-01-05T14:35:03Z",
        "3/8/2026 2:30:00 AM",
        "3/8/2026 9:30:00 AM",
        "11/1/2026 1:30:00 AM",
        "13/45/2026 6:35:03 AM",
        "1/5/2026",
        "",
    ],
    "ID": ["", "a", "b", " a ", "c\\d", "é", "1.5E+10", "y" * 201],
    "Order ID": ["o-1", "", " o-1", "z" * 201],
    "Name": ["Entry", "", '"a, b"', '"say ""hi"""', '"two\nlines"', '"open', "back\\slash", "n\tt"],
    "Commission": ["$0.52", "", "x"],
    "Account": ["Sim101", "Sim102", "", " Sim101", "w" * 101],
}
some_lines = st.builds(
    lambda cells, more: fill(**cells) + more,
    st.fixed_dictionaries(
        {},
        optional={name: st.sampled_from(cells[:3] * 3 + cells) for name, cells in CELLS.items()},
    ),
    st.sampled_from(["", "", "", "", ",", ", ", ",more"]),
)
OTHER_HEADER = HEADER.replace("Price,Time", "Time,Price")
odd_lines = st.sampled_from(["", ",,,", "MNQ 03-26,Buy", HEADER, "\x1a", OTHER_HEADER, '"'])
contents = st.builds(
    lambda lines, line_break: line_break.join([HEADER, *lines, ""]),
    st.lists(st.one_of(some_lines, some_lines, some_lines, odd_lines), max_size=12),
    st.sampled_from(["\r\n", "\n", "\r"]),
)

TABLES = {
    "row logs": "SELECT row_number, r.status, error_category, error_message, validation_errors, "
    "raw_row_data, k.execution_id FROM import_execution_row_logs r "
    "LEFT JOIN trades k ON k.id = duplicate_of_id ORDER BY r.id",
    "trades": "SELECT a.name, i.symbol, i.root, i.expiry, i.kind, t.execution_id, side, quantity, "
    "price, commission, executed_at, order_id, t.name, entry_exit, broker_position, connection, "
    "notes, reviewed, row_number FROM trades t JOIN accounts a ON a.id = t.account_id "
    "JOIN instruments i ON i.id = t.instrument_id "
    "JOIN import_execution_row_logs r ON r.id = import_row_log_id ORDER BY t.id",
    "ledger": "SELECT a.name, l.execution_id, i.symbol, row_number, csv_filename "
    "FROM imported_executions l JOIN accounts a ON a.id = l.account_id "
    "JOIN instruments i ON i.id = l.instrument_id JOIN trades t ON t.id = trade_id "
    "JOIN import_execution_row_logs r ON r.id = import_row_log_id ORDER BY l.id",
    "accounts": "SELECT name FROM accounts ORDER BY name",
    "instruments": "SELECT symbol FROM instruments ORDER BY symbol",
}


def all_none(self: ColumnReader, rows: Rows) -> dict[str, Column]:
    """What a reader says to whom no line is plain."""
    return {name: [None] * len(rows) for name in as_in_columns(execution())}


def left_by(take_in: TakeIn, *contents: str) -> list[object]:
    """All that the imports of these files leave in the tables, but for ids and moments."""
    with transaction.atomic():
        counts = [counts_of(take_in(content, account="Desk 7")) for content in contents]
        with connection.cursor() as cursor:
            rows = [found for query in TABLES.values() for found in rows_of(cursor, query)]
        transaction.set_rollback(True)
    return [*counts, *rows]


def counts_of(log: ImportExecutionLog) -> tuple:
    counts = (log.total_rows, log.success_rows, log.failed_rows, log.skipped_rows, log.cursor)
    return log.status, *counts, log.affected_accounts


def rows_of(cursor: object, query: str) -> Iterator[tuple]:
    cursor.execute(query)
    for row in cursor.fetchall():
        yield tuple(
            re.sub(r"trade \d+", "trade N", cell) if isinstance(cell, str) else cell for cell in row
        )


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    earlier=contents,
    content=contents,
    chunk=st.sampled_from([3, 100]),
    part=st.sampled_from([1, 2, 100]),
)
def test_many_lines_at_once_end_as_each_alone(
    take_in: TakeIn, earlier: str, content: str, chunk: int, part: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CHUNK", chunk)
        patch.setattr(running, "PART", part)
        patch.setattr(gathering, "PART", part)
        at_once = left_by(take_in, earlier, content)
        patch.setattr(ColumnReader, "read", all_none)
        assert left_by(take_in, earlier, content) == at_once


@pytest.mark.usefixtures("db")
def test_plain_lines_are_not_read_one_by_one(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.lines.LineReader.read", None)
    monkeypatch.setattr("imports.lines.LineReader.read_again", None)
    lines = [fill(ID=f"exec-{number}", Price=f"{number}.25") for number in range(1, 9)]
    assert take_in("\n".join([HEADER, *lines])).success_rows == 8


STAMPS = ["{:%-m/%-d/%Y %-I:%M:%S %p}", "{:%Y-%m-%d %H:%M}", "{:%d.%m.%Y;%H:%M:%S.%f}"]
STAMPS += ["{:%Y%m%dT%H%M%S}", "{:%Y-%m-%d, %H:%M}", "{:%Y-%m-%d %H:%M:%SZ}", "{:%m/%d/%y %H.%M}"]


@given(
    moments=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)), min_size=1),
    zone=st.sampled_from(["America/Chicago", "UTC", "Asia/Kolkata", "Africa/Monrovia"]),
    stamp=st.sampled_from(STAMPS),
)
def test_many_times_are_those_of_each_alone(moments: list[datetime], zone: str, stamp: str) -> None:
    cells = [stamp.format(moment) for moment in moments]
    found, months = WallClock(day_first=False).read(cells, [zone] * len(cells))
    for cell, text, month in zip(cells, found, months, strict=True):
        if text is not None:
            moment = read_moment(cell, day_first=False)
            assert (text, month) == (as_text(to_utc(moment, zone)[0]), moment.date().replace(day=1))


@pytest.mark.parametrize("cell", ["1/5/2026 6:35:03 AM", "2026-01-05T06:35", "20260105 063503"])
def test_an_ordinary_time_is_plain(cell: str) -> None:
    (text,), _ = WallClock(day_first=False).read([cell], ["America/Chicago"])
    assert text.startswith("2026-01-05 12:35:0")


@given(rows=st.lists(st.lists(st.text(), min_size=1), min_size=1))
def test_cells_become_the_json_of_the_encoder(rows: list[list[str]]) -> None:
    texts, is_clean = as_json(rows)
    assert texts == [JSONTextField.encoded(cells) for cells in rows]
    assert is_clean == (not any("\\" in text for text in texts))
