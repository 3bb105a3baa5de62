"""One line becomes one trade, by whichever ways it comes again: in place, by files, by retries."""

import io
import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from imports.correctedfile import retry_corrected
from imports.correcting import as_lines
from imports.kin import BeingRetried
from imports.models import ImportExecutionLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.running import run_import
from imports.states import StateConflict, Status
from tests.conftest import TakeIn, file_of, fill
from tests.test_mending import PLACES, bring_back, downloaded, mend
from trades.models import Trade

WITHOUT_IDS = file_of(fill(ID=""), fill(ID="", Quantity="x"), fill(ID="", Price="y", Quantity="3"))


def corrected(log: ImportExecutionLog, **by_line: dict[str, str]) -> list[list[str]]:
    """The failed lines, those given by `line_3` with other cells."""
    header, *rows = downloaded(log)
    for row in rows:
        number = row[-1].split(",")[0].removeprefix("line ")
        for name, cell in by_line.get(f"line_{number}", {}).items():
            row[PLACES[name]] = cell
    return [header, *rows]


def rows_of(log: ImportExecutionLog) -> list[tuple[str, str]]:
    return list(log.row_logs.order_by("row_number").values_list("status", "error_message"))


def test_a_line_that_a_file_brought_is_not_corrected_in_place(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    new = bring_back(log, corrected(log, line_3={"Quantity": "2"}))
    assert (new.success_rows, new.failed_rows) == (1, 1)
    with pytest.raises(StateConflict, match=f"corrected already, by import {new.pk}"):
        mend(log, 3, olga, Quantity="5")
    assert [row[-1][:6] for row in downloaded(log)[1:]] == ["line 4"]
    assert mend(log, 4, olga, Price="1").success_rows == 1
    assert Trade.objects.count() == 3


def test_the_page_says_by_which_import(take_in: TakeIn, olga: User, client: Client) -> None:
    log = take_in(WITHOUT_IDS)
    new = bring_back(log, corrected(log, line_3={"Quantity": "2"}))
    client.force_login(olga)
    page = client.get(log.get_absolute_url()).content.decode()
    assert "1 of them corrected since" in page
    assert f"import {new.pk}</a> (partial)" in page
    assert "Correct line 3" not in page
    assert "Correct line 4" in page
    assert client.get(reverse("import-correct", args=[log.pk, 3])).content.count(b"corrected al")


def test_a_line_that_waits_in_a_file_is_being_corrected(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    rows = as_lines(corrected(log, line_3={"Quantity": "2"}), ",")
    new = retry_corrected(log, io.BytesIO(rows), "waits.csv")
    with pytest.raises(StateConflict, match=f"Line 3 is being corrected by import {new.pk}"):
        mend(log, 3, olga, Quantity="5")


def test_what_a_file_brought_is_open_again_once_that_is_rolled_back(
    take_in: TakeIn, olga: User
) -> None:
    log = take_in(WITHOUT_IDS)
    roll_back(bring_back(log, corrected(log, line_3={"Quantity": "2"})))
    assert len(downloaded(log)) == 3
    assert mend(log, 3, olga, Quantity="5").success_rows == 1


def test_an_old_download_does_not_bring_a_corrected_line_again(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    rows = corrected(log, line_3={"Quantity": "2"}, line_4={"Price": "7"})
    first = mend(log, 3, olga, Quantity="5")
    new = bring_back(log, rows)
    assert (new.status, new.total_rows, new.success_rows, new.skipped_rows) == ("success", 2, 1, 1)
    said = f"line 2: line 3 of fills.csv was corrected already by import {first.pk}; skipped"
    assert rows_of(new) == [("skipped", said), ("success", "")]
    assert new.row_logs.get(row_number=2).duplicate_of == Trade.objects.get(quantity=5)
    assert not new.can_be_retried
    assert Trade.objects.count() == 3


def test_a_second_file_does_not_bring_the_lines_of_the_first(take_in: TakeIn) -> None:
    log = take_in(WITHOUT_IDS)
    old = corrected(log, line_3={"Quantity": "2"})
    bring_back(log, old)
    old[1][PLACES["Quantity"]] = "6"
    assert bring_back(log, old).skipped_rows == 1
    assert Trade.objects.count() == 2


def test_what_was_skipped_for_a_mending_does_not_stand_for_it(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    rows = corrected(log, line_3={"Quantity": "2"}, line_4={"Price": "7"})
    first = mend(log, 3, olga, Quantity="5")
    new = bring_back(log, rows)
    roll_back(first)
    assert run_import(retry(new).pk).success_rows == 1
    with pytest.raises(StateConflict, match="corrected already"):
        mend(log, 3, olga, Quantity="5")
    assert Trade.objects.count() == 3


def test_a_line_that_stands_twice_in_a_file_comes_once(take_in: TakeIn) -> None:
    log = take_in(WITHOUT_IDS)
    header, line, _ = corrected(log, line_3={"Quantity": "2"})
    other = [*line]
    other[PLACES["Quantity"]] = "4"
    new = bring_back(log, [header, line, other])
    assert (new.success_rows, new.failed_rows, Trade.objects.count()) == (1, 1, 2)
    assert "further up" in rows_of(new)[1][1]


def test_lines_without_a_number_come_as_they_are(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    mend(log, 3, olga, Quantity="5")
    header, row = corrected(log, line_4={"Price": "7"})
    row[-1] = ""
    assert bring_back(log, [header, row]).success_rows == 1


def test_breaks_in_cells_do_not_move_the_lines(take_in: TakeIn, olga: User) -> None:
    bad = [fill(ID="", Quantity="x", Name='"a\nb"'), fill(ID="", Quantity="y")]
    log = take_in(file_of(fill(ID=""), *bad))
    new = bring_back(log, corrected(log, line_5={"Quantity": "2"}))
    assert (new.success_rows, new.failed_rows) == (1, 1)
    with pytest.raises(StateConflict, match="corrected already"):
        mend(log, 5, olga, Quantity="3")
    assert mend(log, 3, olga, Quantity="3").success_rows == 1


def test_a_correction_of_a_correction_is_known_to_the_first(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    second = bring_back(log, corrected(log, line_3={"Quantity": "2"}))
    third = bring_back(second, corrected(second, line_3={"Price": "9"}))
    assert third.success_rows == 1
    assert len(downloaded(log)) == len(downloaded(second)) == 1
    with pytest.raises(StateConflict, match=f"by import {third.pk}"):
        mend(log, 4, olga, Price="8")


def test_a_line_corrected_first_is_not_corrected_in_a_retry(take_in: TakeIn, olga: User) -> None:
    log = take_in(WITHOUT_IDS)
    again = run_import(retry(log).pk)
    mended = bring_back(log, corrected(log, line_4={"Price": "7"}))
    assert mended.success_rows == 1
    mend(log, 3, olga, Quantity="5")
    for line in (3, 4):
        with pytest.raises(StateConflict, match="corrected already"):
            mend(again, line, olga, Quantity="6", Price="6")
    assert len(downloaded(again)) == 1


def test_a_retry_of_a_corrected_file_leaves_out_what_it_had_left_out(
    take_in: TakeIn, olga: User
) -> None:
    log = take_in(WITHOUT_IDS)
    rows = corrected(log, line_3={"Quantity": "2"})
    mend(log, 3, olga, Quantity="5")
    again = run_import(retry(bring_back(log, rows)).pk)
    assert (again.success_rows, again.skipped_rows, again.failed_rows) == (0, 1, 1)
    assert Trade.objects.count() == 2


def test_twins_are_counted_whichever_way_they_came(take_in: TakeIn, olga: User) -> None:
    log = take_in(file_of(fill(ID=""), *[fill(ID="", Quantity="x")] * 3))
    rows = corrected(log, line_3={"Quantity": "1"}, line_5={"Quantity": "1"})
    assert mend(log, 3, olga, Quantity="1").success_rows == 1
    new = bring_back(log, rows)
    assert (new.success_rows, new.skipped_rows, new.failed_rows) == (1, 1, 1)
    assert mend(log, 4, olga, Quantity="1").success_rows == 1
    ids = Trade.objects.values_list("execution_id", flat=True)
    assert sorted(one[-2:] for one in ids) == [":1", ":2", ":3", ":4"]


# --- Two retries


def test_a_retry_waits_for_the_one_before(take_in: TakeIn) -> None:
    log = take_in(WITHOUT_IDS)
    first = retry(log)
    with pytest.raises(BeingRetried, match=f"import {first.pk} is queued"):
        retry(log)
    with pytest.raises(BeingRetried, match=f"import {first.pk} is queued"):
        retry_corrected(log, io.BytesIO(WITHOUT_IDS.encode()), "whole.csv")
    run_import(first.pk)
    assert retry(log).status == Status.QUEUED


def test_who_is_second_is_told_by_the_api_and_the_page(
    take_in: TakeIn, olga: User, client: Client
) -> None:
    log = take_in(WITHOUT_IDS)
    client.force_login(olga)
    url = f"/api/import-logs/retry/{log.pk}"
    answers = [client.post(url, headers={"origin": "http://testserver"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 409]
    assert answers[1].json()["error_code"] == "STATE_CONFLICT"
    new = log.retries.get()
    page = client.get(reverse("import-retry", args=[log.pk]))
    assert page.status_code == 200
    assert f"fills.csv is being retried: import {new.pk} is queued." in page.content.decode()
    assert b"Retry the stored file" not in page.content
    assert client.post(reverse("import-retry", args=[log.pk])).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_of_two_retries_at_once_one_is_made(take_in: TakeIn) -> None:
    log = take_in(WITHOUT_IDS)
    start, told = threading.Barrier(2), []
    file = WITHOUT_IDS.replace("x", "2").encode()

    def try_it(with_file: bool) -> None:
        start.wait()
        try:
            new = retry_corrected(log, io.BytesIO(file), "b.csv") if with_file else retry(log)
            told.append(new.status)
        except StateConflict:
            told.append("conflict")
        finally:
            connection.close()

    tries = [threading.Thread(target=try_it, args=[with_file]) for with_file in (False, True)]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert sorted(told) == ["conflict", "queued"]
    assert log.retries.count() == 1
