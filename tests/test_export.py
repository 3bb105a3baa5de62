"""Downloads of an import: complete, streamed, and harmless in a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from imports import export
from imports.export import as_json, as_text, failed_as_csv, neutral, original
from imports.models import ImportExecutionLog
from imports.rollback import roll_back
from tests.conftest import HEADER, TakeIn, file_of, fill
from trades.models import Trade

MIXED = file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill())
FORMULA = '=HYPERLINK("http://evil.example";"click")'


def text_of(log: ImportExecutionLog, write: Callable = as_json) -> str:
    return "".join(write(log))


def failed_lines(log: ImportExecutionLog, delimiter: str = ",") -> list[list[str]]:
    text = text_of(log, failed_as_csv).removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


# --- JSON


def test_json_has_the_import_and_every_line(take_in: TakeIn) -> None:
    log = take_in(MIXED)
    told = json.loads(text_of(log))
    assert told["import_summary"]["import_batch_id"] == str(log.import_batch_id)
    assert [row["status"] for row in told["row_logs"]] == ["success", "failed", "skipped"]


def test_json_of_a_line_names_its_trade_and_its_cells(take_in: TakeIn) -> None:
    [row] = json.loads(text_of(take_in(file_of(fill()))))["row_logs"]
    assert row["created_trade_id"] == Trade.objects.get().pk
    assert (row["row_number"], row["raw_row_data"]["Instrument"]) == (2, "MNQ 03-26")


def test_json_of_an_import_without_lines_is_json(take_in: TakeIn) -> None:
    assert json.loads(text_of(take_in("undefined")))["row_logs"] == []


def test_cells_without_a_heading_of_their_own_are_kept() -> None:
    cells = export.cells_as_object(["a", "a", ""], ["1", "2", "", "4"])
    assert cells == {"a": "1", "column 2": "2", "column 4": "4"}


# --- Text


def test_text_has_the_layout_that_people_know(take_in: TakeIn) -> None:
    log = take_in(MIXED)
    lines = text_of(log, as_text).splitlines()
    assert lines[:2] == [f"Batch ID: {log.import_batch_id}", "File: fills.csv"]
    assert f"Row 2: SUCCESS - Created trade #{Trade.objects.get().pk}" in lines
    failed = lines.index("Row 3: FAILED - line 3, Quantity: 'abc' is not a number")
    assert lines[failed + 1] == "  Error: Quantity: 'abc' is not a number (invalid_quantity)"
    assert lines[failed + 2].startswith('  Raw Data: {"Instrument": "MNQ 03-26"')
    assert lines[-1].startswith("Row 4: SKIPPED - line 4: repeats line 2")


def test_text_says_that_a_trade_is_gone(take_in: TakeIn) -> None:
    log = take_in(file_of(fill()))
    roll_back(log)
    assert "Row 2: SUCCESS - Created a trade that is gone now" in text_of(log, as_text)


def test_no_cell_passes_for_a_line_of_the_text(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity='"abc\nRow 9: SUCCESS - Created trade #9\u202e"')))
    text = text_of(log, as_text)
    assert "\nRow 9" not in text
    assert "\u202e" not in text


# --- The failed lines as CSV


def test_failed_lines_have_the_header_and_their_error(take_in: TakeIn) -> None:
    header, row = failed_lines(take_in(MIXED))
    assert header == [*HEADER.split(","), "error"]
    assert (row[5], row[-1]) == ("exec-2", "line 3, Quantity: 'abc' is not a number")


def test_failed_lines_are_cut_as_the_file_was(take_in: TakeIn) -> None:
    log = take_in(MIXED.replace(",", ";"))
    header, row = failed_lines(log, ";")
    assert (header[-1], row[5]) == ("error", "exec-2")


def test_a_short_line_has_its_error_in_the_right_column(take_in: TakeIn) -> None:
    header, row = failed_lines(take_in(file_of("MNQ 03-26,Buy,1")))
    assert row[:4] == ["MNQ 03-26", "Buy", "1", ""]
    assert "has 3 cells" in row[header.index("error")]


def test_formulas_are_made_harmless(take_in: TakeIn) -> None:
    quoted = FORMULA.replace('"', '""')
    header, row = failed_lines(take_in(file_of(fill(Quantity="abc", Name=f'"{quoted}"'))))
    assert row[header.index("Name")] == f"'{FORMULA}"


@pytest.mark.parametrize(
    "cell", ["-2.50", "-$1", "- 2.50", "+5", "-1.234,50", "($22.48)", "-58,00 $"]
)
def test_negative_numbers_stay_numbers(cell: str) -> None:
    assert neutral(cell) == cell


@pytest.mark.parametrize(
    "cell", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "－1+A1"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@given(st.text(alphabet="'=+-@\t\r\n 1a.$", max_size=8))
def test_what_was_made_harmless_can_be_read_back(cell: str) -> None:
    assert original(neutral(cell)) == cell


# --- How they are sent


def fetch(user: User, address: str) -> tuple[HttpResponse, str]:
    client = AsyncClient()
    client.force_login(user)

    async def get() -> tuple[HttpResponse, bytes]:
        response = await client.get(address)
        return response, b"".join([part async for part in response])

    response, content = async_to_sync(get)()
    return response, content.decode("utf-8-sig")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("form", "ending"), [("json", ".json"), ("text", ".txt"), ("csv", ".csv")])
def test_a_download_is_an_attachment(take_in: TakeIn, vera: User, form: str, ending: str) -> None:
    log = take_in(MIXED, name='a"b; c=é.csv')
    response, content = fetch(vera, f"/import-logs/{log.pk}/download/?format={form}")
    disposition = response["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''a%22b%3B%20c%3D%C3%A9-")
    assert disposition.endswith(ending)
    assert "exec-2" in content


def test_lines_are_asked_for_in_slices(
    take_in: TakeIn,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(export, "SLICE", 2)
    log = take_in(file_of(*[fill(ID=str(number)) for number in range(5)]))
    parts = as_text(log)
    with django_assert_num_queries(2):
        next(parts), next(parts)
    assert "".join(parts).count("Created trade") == 3
