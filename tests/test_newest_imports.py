"""The newest imports under the recurring jobs."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imports.daterange import receive_range
from imports.models import ImportExecutionLog
from imports.running import run_import
from tests.conftest import TakeIn, file_of, fill, person
from tests.test_import_pages import some, text_of
from trades import positions
from trades.models import Position
from trades.positions import mark_all, recompute_touched

pytestmark = pytest.mark.django_db
SCHEDULER = reverse("scheduler")


def section(client: Client) -> str:
    text = text_of(client.get(SCHEDULER))
    return text[text.index('id="newest-imports"') :].partition("</section>")[0]


def rows_of(client: Client) -> list[list[str]]:
    """The words of each cell, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", section(client).partition("<tbody>")[2], re.DOTALL)
    cells = [re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL) for row in rows]
    unseen = re.compile(r'<span class="(?:tl-unseen|material)[^>]*>.*?</span>')
    return [[re.sub("<.*?>", "", unseen.sub("", one)).strip() for one in row] for row in cells]


def test_it_shows_imports_of_every_type(client: Client, olga: User, take_in: TakeIn) -> None:
    client.force_login(olga)
    take_in(file_of(fill(), fill(ID="b", Quantity="abc")))
    run_import(receive_range(date(2026, 1, 5), date(2026, 1, 6)).pk)
    receive_range(date(2026, 1, 5), date(2026, 1, 5))
    waits, days, file = rows_of(client)
    assert (waits[0], waits[1], waits[2]) == ("—", "Date range", "—")
    assert days[0] == "executions-2026-01-05-to-2026-01-06.csv"
    assert days[4:] == ["16", "16", str(Position.objects.count())]  # the first one goes on
    assert (file[0], file[1], file[3]) == ("fills.csv", "CSV file", "Partial")
    assert file[4:] == ["2", "1", "1"]
    assert waits[4:] == ["0", "0", "0"]


def told(log: ImportExecutionLog) -> int | None:
    return ImportExecutionLog.objects.get(pk=log.pk).positions_changed


@pytest.mark.parametrize("size", [1, 1_000])
def test_an_import_knows_how_many_positions_it_changed(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However many slices it took, and together with another that touched the same."""
    monkeypatch.setattr(positions, "SLICE", size)
    minutes = [f"1/5/2026 6:{minute}:00 AM" for minute in range(10, 20)]
    fills = [
        fill(ID=str(one), Time=at, Action=("Buy", "Sell")[one % 2])
        for one, at in enumerate(minutes)
    ]
    monkeypatch.setattr("imports.running.recompute_for_a_while", lambda: None)
    first, second = take_in(file_of(*fills[:4])), take_in(file_of(*fills[4:]))
    assert (told(first), told(second)) == (None, None)
    recompute_touched()
    assert (told(first), told(second)) == (5, 5)
    third = take_in(file_of(fill(ID="x", Time="1/5/2026 6:21:00 AM")))
    recompute_touched()
    mark_all()
    recompute_touched()  # which changes nothing
    assert (told(first), told(second), told(third)) == (5, 5, 1)
    assert told(take_in(file_of(fills[0]))) is None  # known: it took nothing in


def test_it_shows_the_newest_twenty(client: Client, olga: User) -> None:
    client.force_login(olga)
    some(25)
    assert len(rows_of(client)) == 20
    assert f"newest-{ImportExecutionLog.objects.first().pk}" in section(client)


def test_without_imports_it_says_so(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert "No imports yet." in section(client)


def test_operators_are_led_to_the_form(client: Client, olga: User, vera: User) -> None:
    form = reverse("import-date-range")
    client.force_login(vera)
    assert form not in section(client)
    client.force_login(olga)
    assert form in section(client)


def test_who_may_not_see_imports_sees_none(client: Client) -> None:
    client.force_login(person("nina", "view_joblog"))
    assert "newest-imports" not in text_of(client.get(SCHEDULER))
