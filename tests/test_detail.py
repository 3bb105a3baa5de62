"""The page of one import and its doors: who may enter, what they show, what they refuse."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imports import forms, views
from imports.details import counts
from imports.kin import Kin
from imports.models import ImportExecutionLog
from imports.retry import retry
from imports.rollback import roll_back
from imports.rowpages import row_page
from imports.running import run_import
from imports.states import Status
from tests.conftest import TakeIn, file_of, fill, person, work_off
from trades.models import Trade

GOOD = file_of(fill(), fill(ID="b", Account="Sim102"))
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill())
DOORS = ["detail", "counts", "download", "file", "retry", "rollback", "cancel", "correct"]
OPEN_TO = {
    "viewer": {"detail", "counts", "download", "file"},
    "operator": {"detail", "counts", "download", "file", "retry", "cancel", "correct"},
    "admin": set(DOORS),
}
RIGHTS = {
    "viewer": ["view_importexecutionlog"],
    "operator": ["view_importexecutionlog", "retry_import", "cancel_import"],
    "admin": ["view_importexecutionlog", "retry_import", "cancel_import", "roll_back_import"],
}
EVIL = "<img src=x onerror=alert(1)>"


def door(name: str, log: ImportExecutionLog) -> str:
    return reverse(f"import-{name}", args=[log.pk, 3] if name == "correct" else [log.pk])


@pytest.fixture
def partial(take_in: TakeIn) -> ImportExecutionLog:
    return take_in(PARTIAL)


@pytest.fixture
def as_adam(client: Client, adam: User) -> Client:
    client.force_login(adam)
    return client


def text_of(client: Client, log: ImportExecutionLog, query: str = "") -> str:
    return client.get(f"{log.get_absolute_url()}?{query}").content.decode()


# --- Who may enter


@pytest.mark.parametrize("name", DOORS)
def test_a_stranger_is_asked_to_log_in(
    client: Client, partial: ImportExecutionLog, name: str
) -> None:
    for send in (client.get, client.post):
        answer = send(door(name, partial))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("name", DOORS)
def test_who_has_no_right_is_refused(
    client: Client, partial: ImportExecutionLog, name: str
) -> None:
    client.force_login(person("nora"))
    assert {send(door(name, partial)).status_code for send in (client.get, client.post)} == {403}


@pytest.mark.parametrize("who", OPEN_TO)
@pytest.mark.parametrize("name", DOORS)
def test_each_right_opens_its_doors_without_the_staff_s(
    client: Client, partial: ImportExecutionLog, who: str, name: str
) -> None:
    user = person("paul", *RIGHTS[who])
    User.objects.filter(pk=user.pk).update(is_staff=False)
    client.force_login(user)
    answer = client.get(door(name, partial))
    assert (answer.status_code != 403) == (name in OPEN_TO[who])


def test_a_viewer_is_offered_no_deed(client: Client, partial: ImportExecutionLog) -> None:
    client.force_login(person("paul", *RIGHTS["viewer"]))
    text = text_of(client, partial)
    assert "Retry…" not in text
    assert "Roll back…" not in text
    assert "Correct line" not in text


@pytest.mark.parametrize("name", ["retry", "rollback", "correct"])
def test_a_viewer_changes_nothing(client: Client, partial: ImportExecutionLog, name: str) -> None:
    client.force_login(person("paul", *RIGHTS["viewer"]))
    assert client.post(door(name, partial), {"sure": "on", "cell_2": "1"}).status_code == 403
    assert (ImportExecutionLog.objects.count(), Trade.objects.count()) == (1, 1)


@pytest.mark.parametrize("name", DOORS)
def test_to_look_changes_nothing(as_adam: Client, partial: ImportExecutionLog, name: str) -> None:
    assert as_adam.get(door(name, partial)).status_code == (405 if name == "cancel" else 200)
    partial.refresh_from_db()
    assert (partial.status, ImportExecutionLog.objects.count()) == (Status.PARTIAL, 1)


@pytest.mark.parametrize("name", DOORS)
def test_what_does_not_exist_is_not_found(as_adam: Client, name: str) -> None:
    send = as_adam.post if name == "cancel" else as_adam.get
    for number in (999, 10**30):
        assert send(door(name, ImportExecutionLog(pk=number))).status_code == 404


def test_an_unknown_form_of_a_download_is_not_found(
    as_adam: Client, partial: ImportExecutionLog
) -> None:
    assert as_adam.get(door("download", partial) + "?format=xlsx").status_code == 404


# --- What it shows


def test_problems_are_grouped_by_their_kind(take_in: TakeIn) -> None:
    log = take_in(file_of(*[fill(ID=str(n), Quantity=f"x{n}") for n in range(7)], fill(Price="x")))
    found = [(one.heading, one.code, one.count, one.lines) for one in counts(log).problems]
    assert found == [
        ("Quantity", "invalid_quantity", 7, [2, 3, 4, 5, 6]),
        ("Price", "invalid_price", 1, [9]),
    ]


def test_lines_are_counted_by_account(take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    log = take_in(file_of(fill(), fill(ID="b", Account="B"), fill(ID="c", Account="C"), "B,Buy"))
    bad = take_in(file_of(fill(ID="d", Account="B", Price="x"), fill(ID="e", Account="B")))
    found = [(one.name, one.taken_in, one.known, one.failed) for one in counts(log).accounts]
    assert found == [("", 0, 0, 1), ("B", 1, 0, 0), ("C", 1, 0, 0), ("Sim101", 0, 1, 0)]
    assert [(one.taken_in, one.failed, one.total) for one in counts(bad).accounts] == [(1, 1, 2)]


def test_a_sample_is_called_one(
    as_adam: Client, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.details.SAMPLE", 2)
    log = take_in(file_of(*[fill(ID=str(n), Price="x") for n in range(3)]))
    assert counts(log).problems[0].count == 2
    assert "failed lines are counted in the first" in text_of(as_adam, log)


def test_a_large_import_is_counted_apart(
    as_adam: Client, partial: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "COUNTED_AT_ONCE", 2)
    text = text_of(as_adam, partial)
    assert f'hx-get="{door("counts", partial)}"' in text
    assert ">Problems<" not in text
    assert ">Problems<" in as_adam.get(door("counts", partial)).content.decode()


def test_lines_are_filtered_by_category(take_in: TakeIn) -> None:
    log = take_in(file_of(fill(), fill(Price="1"), fill(ID="b", Price="x"), "x,y", fill()))
    found = {
        category: [row.row_number for row in row_page(log, category=category).rows]
        for category in ("validation_error", "parsing_error", "business_logic_error")
    }
    assert list(found.values()) == [[4], [5], [3]]
    assert [row.row_number for row in row_page(log, category="duplicate_error").rows] == [6]


def test_the_chain_of_retries_is_told_from_every_link(take_in: TakeIn, as_adam: Client) -> None:
    first = take_in(PARTIAL)
    second = run_import(retry(first).pk)
    third = run_import(retry(second).pk)
    take_in(GOOD)
    for log in (first, second, third):
        assert [*Kin(log).members.values()] == [first, second, third]
    assert text_of(as_adam, second).count('aria-current="true"') >= 1


def test_later_imports_are_named_and_after_a_rollback_offered(
    take_in: TakeIn, as_adam: Client
) -> None:
    log, later = take_in(GOOD), take_in(GOOD, "later.csv")
    assert f'href="{later.get_absolute_url()}"' in text_of(as_adam, log)
    roll_back(log)
    assert f'href="{door("retry", later)}"' in text_of(as_adam, log)
    as_adam.post(door("retry", later))
    work_off()
    assert Trade.objects.count() == 2


def test_a_later_import_that_met_a_conflict_is_named(take_in: TakeIn) -> None:
    log, later = take_in(GOOD), take_in(file_of(fill(Price="1")))
    take_in(file_of(fill(ID="z", Price="x")))
    assert counts(log).later_imports == [later]
    roll_back(log)
    log.refresh_from_db()
    assert counts(log).later_imports == [later]


def test_a_conflict_of_times_names_the_zone(take_in: TakeIn, as_adam: Client) -> None:
    take_in(GOOD)
    later = take_in(GOOD, timezone="America/Chicago")
    assert "this one as of America/Chicago" in text_of(as_adam, later)


def test_the_page_names_import_and_file_as_they_are(
    partial: ImportExecutionLog, as_adam: Client
) -> None:
    assert f"Import {partial.pk}: {partial.file_name}" in text_of(as_adam, partial)


@pytest.mark.parametrize("lines", [10, 300])
def test_as_many_queries_for_any_number_of_failed_lines(
    as_adam: Client, take_in: TakeIn, django_assert_max_num_queries: Callable, lines: int
) -> None:
    log = take_in(file_of(fill(), *[fill(ID=str(n), Price="x") for n in range(lines)]))
    with django_assert_max_num_queries(15):
        text_of(as_adam, log)


def test_hostile_cells_are_only_text(take_in: TakeIn, as_adam: Client) -> None:
    evil = f'"{EVIL}""=\u202e"'
    cells = {"Quantity": evil, "Account": evil, "Instrument": evil}
    log = take_in(file_of(fill(**cells), fill(ID="b")), f"{EVIL}.csv")
    for name in ("detail", "counts", "retry", "rollback"):
        text = as_adam.get(door(name, log)).content.decode()
        assert EVIL not in text, name
        assert "alert(1)" in text, name


def test_what_is_written_from_right_to_left_stays_in_its_place(
    take_in: TakeIn, as_adam: Client
) -> None:
    log = take_in(file_of(fill(Quantity="\u202eabc")))
    text = text_of(as_adam, log)
    places = [
        text[:place].rpartition("<")[2] for place in range(len(text)) if text[place] == "\u202e"
    ]
    assert places
    assert all(place.startswith(("bdi>", "dd dir=")) for place in places), places


# --- Rolling back


def test_a_rollback_asks_first(as_adam: Client, partial: ImportExecutionLog) -> None:
    Trade.objects.update(notes="mine", reviewed=True)
    text = " ".join(as_adam.get(door("rollback", partial)).content.decode().split())
    assert "This deletes 1 trade of <bdi>Sim101</bdi>." in text
    assert "1 with notes and 1 reviewed" in text
    assert Trade.objects.count() == 1


def test_a_script_gets_the_form_alone(as_adam: Client, partial: ImportExecutionLog) -> None:
    answer = as_adam.get(door("rollback", partial), headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith("<form")


def test_without_the_word_nothing_is_rolled_back(
    as_adam: Client, partial: ImportExecutionLog
) -> None:
    answer = as_adam.post(door("rollback", partial))
    assert "This field is required." in answer.content.decode()
    partial.refresh_from_db()
    assert partial.status == Status.PARTIAL


def test_a_confirmed_rollback_goes_on_in_the_background(
    as_adam: Client, adam: User, partial: ImportExecutionLog
) -> None:
    answer = as_adam.post(door("rollback", partial), {"sure": "on"}, follow=True)
    assert "It is being rolled back." in answer.content.decode()
    assert "data-refresh" in answer.content.decode()
    work_off()
    partial.refresh_from_db()
    assert (partial.status, partial.rolled_back_by) == (Status.ROLLED_BACK, adam)


@pytest.mark.parametrize(("typed", "is_done"), [("fills.csv", True), ("fills", False), ("", False)])
def test_a_large_rollback_is_typed(
    as_adam: Client,
    partial: ImportExecutionLog,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    is_done: bool,
) -> None:
    monkeypatch.setattr(forms, "TYPED_FROM", 1)
    as_adam.post(door("rollback", partial), {"sure": "on", "file_name": typed})
    partial.refresh_from_db()
    assert (partial.status == Status.ROLLING_BACK) == is_done


def test_who_rolls_back_too_late_is_told(as_adam: Client, partial: ImportExecutionLog) -> None:
    roll_back(partial)
    answer = as_adam.post(door("rollback", partial), {"sure": "on"})
    assert answer.status_code == 409
    assert "fills.csv is rolled back" in answer.content.decode()


def test_who_cancels_too_late_is_told(as_adam: Client, partial: ImportExecutionLog) -> None:
    answer = as_adam.post(door("cancel", partial), follow=True)
    assert "only one that waits or runs can be cancelled" in answer.content.decode()


def test_a_waiting_import_is_cancelled(as_adam: Client, partial: ImportExecutionLog) -> None:
    new = retry(partial)
    as_adam.post(door("cancel", new))
    new.refresh_from_db()
    assert new.status == Status.CANCELLED
