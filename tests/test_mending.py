"""Mending an import: correct a line in place, bring the failed lines back corrected."""

import csv
import io
import threading

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from imports.correctedfile import retry_corrected
from imports.correcting import correct, read_corrected
from imports.export import failed_as_csv
from imports.models import ImportExecutionLog
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import StateConflict, Status
from tests.conftest import HEADER, TakeIn, file_of, fill, work_off
from trades.models import Trade

PLACES = {name: place for place, name in enumerate(HEADER.split(","))}
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"))
TWINS = file_of(fill(ID=""), fill(ID="", Quantity="abc"), fill(ID="", Quantity="x"))


def cells_of(log: ImportExecutionLog, line: int, **corrected: str) -> list[str]:
    cells = list(log.row_logs.get(row_number=line).raw_row_data)
    for name, cell in corrected.items():
        cells[PLACES[name]] = cell
    return cells


def mend(log: ImportExecutionLog, line: int, user: User, **corrected: str) -> ImportExecutionLog:
    row = log.row_logs.get(row_number=line)
    return correct(row, read_corrected(log, row, cells_of(log, line, **corrected)), user)


def downloaded(log: ImportExecutionLog) -> list[list[str]]:
    text = "".join(failed_as_csv(log)).removeprefix("\ufeff")
    delimiter = log.dialect["delimiter"]
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def bring_back(
    log: ImportExecutionLog, rows: list[list[str]], delimiter: str = ","
) -> ImportExecutionLog:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    source = io.BytesIO(b"\xef\xbb\xbf" + text.getvalue().encode())
    return run_import(retry_corrected(log, source, "corrected.csv").pk)


# --- One line, in place


def test_a_corrected_line_is_counted_and_not_downloaded_again(
    take_in: TakeIn, olga: User, client: Client
) -> None:
    log = take_in(file_of(fill(Quantity="abc"), fill(ID="b", Quantity="x")))
    mend(log, 2, olga, Quantity="1")
    assert [row[-1] for row in downloaded(log)[1:]] == ["line 3, Quantity: 'x' is not a number"]
    client.force_login(olga)
    assert "1 of them corrected since" in client.get(log.get_absolute_url()).content.decode()


def test_a_corrected_line_is_taken_in_alone(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    new = mend(log, 3, olga, Quantity="2")
    assert (new.status, new.total_rows, new.success_rows) == (Status.SUCCESS, 1, 1)
    assert (new.retry_of, new.mends_line, new.created_by) == (log, 3, olga)
    assert Trade.objects.get(execution_id="exec-2").quantity == 2


def test_the_line_as_it_came_stays(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    mend(log, 3, olga, Quantity="2")
    log.refresh_from_db()
    assert (log.status, log.failed_rows) == (Status.PARTIAL, 1)
    assert log.row_logs.get(row_number=3).raw_row_data[PLACES["Quantity"]] == "abc"


def test_a_corrected_line_is_read_as_its_file_was(take_in: TakeIn, olga: User) -> None:
    text = PARTIAL.replace("1/5/2026", "13/1/2026").replace(",", ";").replace("21350.50", "21350,5")
    log = take_in(text.replace("$0.52", "$0,52").replace(" AM", ""))
    new = mend(log, 3, olga, Quantity="2", Time="2/3/2026 6:35:03", Price="1.234,5")
    assert new.success_rows == 1, new.error_summary
    trade = Trade.objects.get(execution_id="exec-2")
    assert (trade.executed_at.month, str(trade.price)) == (3, "1234.5000000000")


def test_what_is_known_is_skipped(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    new = mend(log, 3, olga, Quantity="1", ID="exec-1")
    assert (new.status, new.skipped_rows, Trade.objects.count()) == (Status.SUCCESS, 1, 1)


def test_a_line_is_corrected_once(take_in: TakeIn, olga: User, adam: User) -> None:
    log = take_in(TWINS)
    mend(log, 3, olga, Quantity="2")
    with pytest.raises(StateConflict, match="corrected already"):
        mend(log, 3, adam, Quantity="3")
    assert Trade.objects.count() == 2


def test_a_correction_that_was_rolled_back_can_be_made_again(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    roll_back(mend(log, 3, olga, Quantity="2"))
    assert mend(log, 3, olga, Quantity="3").success_rows == 1


def test_a_correction_that_failed_can_be_made_again(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    assert mend(log, 3, olga, Quantity="7", ID="exec-1").status == Status.FAILED
    assert mend(log, 3, olga, Quantity="7").success_rows == 1


def test_a_correction_is_corrected_where_its_line_came_from(take_in: TakeIn, olga: User) -> None:
    log = take_in(PARTIAL)
    failed = mend(log, 3, olga, Quantity="7", ID="exec-1")
    with pytest.raises(StateConflict, match="where it came from"):
        mend(failed, 2, olga, ID="exec-9")
    assert mend(log, 3, olga, Quantity="7").success_rows == 1


def test_a_genuine_twin_is_taken_in(take_in: TakeIn, olga: User) -> None:
    log = take_in(TWINS)
    assert [mend(log, line, olga, Quantity="1").success_rows for line in (3, 4)] == [1, 1]
    ids = Trade.objects.values_list("execution_id", flat=True)
    assert sorted(one[-2:] for one in ids) == [":1", ":2", ":3"]


def test_twins_in_front_are_not_counted_as_lines(take_in: TakeIn, olga: User) -> None:
    new = mend(take_in(TWINS), 3, olga, Quantity="1")
    assert (new.total_rows, new.row_logs.get().status) == (1, "success")


def test_the_corrected_file_as_a_whole_is_known_afterwards(take_in: TakeIn, olga: User) -> None:
    log = take_in(TWINS)
    for line in (3, 4):
        mend(log, line, olga, Quantity="1")
    again = take_in(file_of(*[fill(ID="")] * 3))
    assert (again.success_rows, again.skipped_rows) == (0, 3)


@pytest.mark.parametrize("status", [Status.RUNNING, Status.ROLLED_BACK, Status.ROLLING_BACK])
def test_lines_of_an_import_at_work_or_undone_stay(
    take_in: TakeIn, olga: User, status: Status
) -> None:
    log = take_in(PARTIAL)
    ImportExecutionLog.objects.filter(pk=log.pk).update(status=status)
    with pytest.raises(StateConflict):
        mend(log, 3, olga, Quantity="2")
    assert Trade.objects.count() == 1


def test_a_line_below_another_header_is_no_line_of_this_one(take_in: TakeIn, olga: User) -> None:
    other = HEADER.replace("Instrument,Action", "Action,Instrument")
    log = take_in(file_of(fill(), other, fill(ID="b")))
    assert log.failed_rows == 2
    with pytest.raises(StateConflict, match="another header"):
        mend(log, 4, olga)


# --- The failed lines, as a file


def test_failed_lines_come_back_corrected(take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    header, row = downloaded(log)
    row[PLACES["Quantity"]] = "2"
    new = bring_back(log, [header, row])
    assert (new.status, new.total_rows, new.retry_of) == (Status.SUCCESS, 1, log)


def test_what_is_not_corrected_fails_again(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), "MNQ 03-26,Buy,1", fill(Quantity="abc", ID="b"), fill() + ",9"))
    new = bring_back(log, downloaded(log))
    assert (new.success_rows, new.failed_rows) == (0, log.failed_rows)
    assert list(new.row_logs.values_list("raw_row_data")) == list(
        log.row_logs.filter(status="failed").values_list("raw_row_data")
    )


def test_a_line_that_lacks_only_its_last_cells_is_not_taken_in_unseen(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(ID="b").rsplit(",", 2)[0]))
    assert log.failed_rows == 1
    assert bring_back(log, downloaded(log)).failed_rows == 1


def test_harmless_formulas_come_back_as_they_were(take_in: TakeIn) -> None:
    hostile = '"=HYPERLINK(""http://evil.example"")"'
    log = take_in(file_of(fill(), fill(ID="b", Quantity="abc", Name=hostile, Commission="-2.50")))
    header, row = downloaded(log)
    row[PLACES["Quantity"]] = "1"
    bring_back(log, [header, row])
    trade = Trade.objects.get(execution_id="b")
    assert (trade.name, trade.commission) == ('=HYPERLINK("http://evil.example")', -2.5)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_may_cut_the_cells_otherwise(take_in: TakeIn, delimiter: str) -> None:
    log = take_in(PARTIAL)
    header, row = downloaded(log)
    row[PLACES["Quantity"]] = "2"
    assert bring_back(log, [[*header, ""], [*row, ""]], delimiter).success_rows == 1


def test_genuine_twins_come_back(take_in: TakeIn) -> None:
    log = take_in(TWINS)
    header, *rows = downloaded(log)
    for row in rows:
        row[PLACES["Quantity"]] = "1"
    new = bring_back(log, [header, *rows])
    assert (new.total_rows, new.success_rows) == (2, 2)


def test_a_corrected_file_that_comes_twice_changes_nothing(take_in: TakeIn) -> None:
    log = take_in(TWINS)
    header, *rows = downloaded(log)
    for row in rows:
        row[PLACES["Quantity"]] = "1"
    bring_back(log, [header, *rows])
    again = bring_back(log, [header, *rows])
    assert (again.success_rows, again.skipped_rows, Trade.objects.count()) == (0, 2, 3)


def test_a_corrected_file_as_a_whole_will_do(take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    whole = io.BytesIO(PARTIAL.replace("abc", "2").encode())
    new = run_import(retry_corrected(log, whole, "whole.csv").pk)
    assert (new.success_rows, new.skipped_rows) == (1, 1)


def test_the_correction_of_a_file_that_was_none(take_in: TakeIn) -> None:
    log = take_in("undefined")
    new = run_import(retry_corrected(log, io.BytesIO(PARTIAL.encode()), "good.csv").pk)
    assert (new.retry_of, new.success_rows) == (log, 1)


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04", b"no,header\r\n1,2\r\n"])
def test_a_corrected_file_that_is_none_fails_with_a_reason(take_in: TakeIn, content: bytes) -> None:
    new = run_import(retry_corrected(take_in(PARTIAL), io.BytesIO(content), "bad.csv").pk)
    assert new.status == Status.FAILED
    assert new.error_summary.startswith("bad.csv")


def test_a_corrected_file_that_is_too_large_is_a_failed_import(
    take_in: TakeIn, settings: object
) -> None:
    log = take_in(PARTIAL)
    settings.TRADELOG_MAX_FILE_MB = 0
    new = retry_corrected(log, io.BytesIO(b"x"), "large.csv")
    assert (new.status, new.retry_of) == (Status.FAILED, log)


def test_a_success_takes_no_correction(take_in: TakeIn) -> None:
    with pytest.raises(StateConflict):
        retry_corrected(take_in(file_of(fill())), io.BytesIO(PARTIAL.encode()), "again.csv")


# --- The doors


def form_of(log: ImportExecutionLog, line: int, **corrected: str) -> dict[str, str]:
    cells = cells_of(log, line, **corrected)
    return {f"cell_{place}": cell for place, cell in enumerate(cells)}


def correct_page(log: ImportExecutionLog, line: int) -> str:
    return reverse("import-correct", args=[log.pk, line])


@pytest.fixture
def as_olga(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_the_form_has_the_cells_under_their_headings(take_in: TakeIn, as_olga: Client) -> None:
    page = as_olga.get(correct_page(take_in(PARTIAL), 3)).content.decode()
    assert 'value="abc"' in page
    assert 'id="id_cell_2_problems"' in page
    assert "&#x27;abc&#x27; is not a number" in page


def test_saving_shows_the_outcome(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(PARTIAL)
    answer = as_olga.post(correct_page(log, 3), form_of(log, 3, Quantity="2"), follow=True)
    assert "Line 3 was corrected and taken in." in answer.content.decode()
    assert f"import {log.retries.get().pk}</a> (success)" in answer.content.decode()


def test_what_still_cannot_be_read_makes_no_import(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(PARTIAL)
    answer = as_olga.post(correct_page(log, 3), form_of(log, 3, Quantity="two"))
    assert "&#x27;two&#x27; is not a number" in answer.content.decode()
    assert not log.retries.exists()


def test_who_comes_second_is_told(take_in: TakeIn, as_olga: Client, adam: User) -> None:
    log = take_in(PARTIAL)
    form = form_of(log, 3, Quantity="2")
    mend(log, 3, adam, Quantity="2")
    answer = as_olga.post(correct_page(log, 3), form)
    assert answer.status_code == 409
    assert "corrected already" in answer.content.decode()


def test_a_known_line_is_said_to_be_known(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(PARTIAL)
    form = form_of(log, 3, Quantity="1", ID="exec-1")
    answer = as_olga.post(correct_page(log, 3), form, follow=True)
    assert "is known already, so nothing was taken in" in answer.content.decode()


def test_a_short_line_can_be_completed(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(file_of(fill(), "MNQ 03-26,Buy,1"))
    cells = fill(ID="b").split(",")
    form = {f"cell_{place}": cell for place, cell in enumerate(cells)}
    as_olga.post(correct_page(log, 3), form)
    assert Trade.objects.filter(execution_id="b").exists()


def test_hostile_cells_of_the_form_are_only_text(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(file_of(fill(), fill(ID="b", Quantity='"<script>alert(1)</script>"""')))
    page = as_olga.get(correct_page(log, 3)).content.decode()
    assert "<script>alert" not in page
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;&quot;"' in page


def test_a_file_is_retried_by_a_form(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(PARTIAL)
    page = reverse("import-retry", args=[log.pk])
    file = SimpleUploadedFile("better.csv", PARTIAL.replace("abc", "2").encode())
    answer = as_olga.post(page, {"file": file})
    new = log.retries.get()
    assert answer["Location"] == new.get_absolute_url()
    work_off()
    new.refresh_from_db()
    assert (new.file_name, new.success_rows) == ("better.csv", 1)


def test_without_a_file_the_stored_one_is_retried(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(PARTIAL)
    answer = as_olga.post(reverse("import-retry", args=[log.pk]))
    assert answer["Location"] == log.retries.get().get_absolute_url()


def test_a_success_is_not_retried(take_in: TakeIn, as_olga: Client) -> None:
    log = take_in(file_of(fill()))
    answer = as_olga.post(reverse("import-retry", args=[log.pk]))
    assert (answer.status_code, log.retries.count()) == (409, 0)


# --- At once


@pytest.mark.django_db(transaction=True)
def test_two_who_correct_a_line_at_once_make_one_trade(
    take_in: TakeIn, olga: User, adam: User
) -> None:
    log = take_in(TWINS)
    start, told = threading.Barrier(2), []

    def try_it(user: User, quantity: str) -> None:
        start.wait()
        try:
            told.append(mend(log, 3, user, Quantity=quantity).status)
        except StateConflict as conflict:
            told.append(str(conflict))
        finally:
            connection.close()

    tries = [threading.Thread(target=try_it, args=args) for args in ((olga, "2"), (adam, "3"))]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert Trade.objects.count() == 2
    assert Status.SUCCESS in told
    assert sum("correct" in one for one in told) == 1
