"""The admin's first page: who sees what of it, its filters, and that it stays quick."""

import re
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from html import unescape
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import DjangoAssertNumQueries

from imports.models import ImportExecutionLog
from imports.outcomes import in_steps
from imports.statistics import Day
from joblogs.models import JobLog
from joblogs.schedules import place_schedules
from joblogs.states import Status
from tests.conftest import EXAMPLES, TakeIn, file_of, fill, person
from tests.fills import MORNING, account
from tests.test_figures import closed
from tradelog import dashboard
from tradelog.attention import concerns
from trades.models import Instrument, IntegrityIssue, Position
from web.durations import time_in_words
from web.periods import period_named, steps_between

PAGE = reverse("admin:index")
POSITIONS, IMPORTS, JOBS = "part-positions", "part-imports", "part-jobs"

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample(take_in: TakeIn) -> ImportExecutionLog:
    return take_in((EXAMPLES / "ninjatrader-us.csv").read_bytes())


def page(client: Client, user: User, query: str = "", **headers: str) -> str:
    client.force_login(user)
    response = client.get(f"{PAGE}{query}", headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def at(moment: datetime) -> AbstractContextManager:
    return patch("django.utils.timezone.now", lambda: moment)


def shown_parts(text: str) -> set[str]:
    return set(re.findall(r'<section id="(part-\w+)"', text))


# --- Who sees what


def test_each_part_is_for_those_who_may_see_it(client: Client, sample: ImportExecutionLog) -> None:
    rights = {
        "view_position": POSITIONS,
        "view_importexecutionlog": IMPORTS,
        "view_joblog": JOBS,
    }
    for right, part in rights.items():
        assert shown_parts(page(client, person(right, right))) == {part}
    assert shown_parts(page(client, person("nobody"))) == set()


@pytest.mark.parametrize("name", ["positions", "imports", "jobs"])
def test_a_part_alone_asks_for_the_same_right(client: Client, vera: User, name: str) -> None:
    address = reverse("dashboard-part", args=[name])
    assert client.get(address).status_code == 302  # to the login
    client.force_login(person("nobody"))
    assert client.get(address).status_code == 403
    client.force_login(User.objects.create_user("of no staff", password="x"))
    assert client.get(address).status_code == 302
    client.force_login(vera)
    assert client.get(address).status_code == 200
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 200
    assert client.post(address).status_code == 405


def test_there_is_no_other_part(client: Client, adam: User) -> None:
    client.force_login(adam)
    assert client.get(reverse("dashboard-part", args=["secrets"])).status_code == 404


def test_the_tables_of_the_admin_stay_within_reach(client: Client, adam: User) -> None:
    text = page(client, adam)
    for view in ("trades_account", "auth_user", "imports_importexecutionlog"):
        assert f'href="{reverse(f"admin:{view}_changelist")}"' in text


# --- A fresh log


def test_a_fresh_log_says_what_to_do_first(client: Client, adam: User, vera: User) -> None:
    text = page(client, adam)
    assert reverse("dashboard-sample") in text
    assert f'href="{reverse("import-logs")}"' in text
    assert shown_parts(text) == set()
    assert reverse("dashboard-sample") not in page(client, vera)


def test_sample_data_is_loaded(client: Client, adam: User, vera: User) -> None:
    client.force_login(vera)
    assert client.post(reverse("dashboard-sample")).status_code == 403
    client.force_login(adam)
    response = client.post(reverse("dashboard-sample"))
    log = ImportExecutionLog.objects.get()
    assert (response.url, log.import_type) == (log.get_absolute_url(), "sample_data")
    assert client.get(reverse("dashboard-sample")).status_code == 405


# --- The filters


def test_accounts_are_chosen(client: Client, vera: User, sample: ImportExecutionLog) -> None:
    assert "15</dd><dd>on 1 day" in page(client, vera)
    assert "5</dd><dd>on 1 day" in page(client, vera, "?account=Sim101")
    assert "10</dd><dd>on 1 day" in page(client, vera, "?account=LIVE-7001&account=LIVE-7002")


def test_days_are_chosen(client: Client, vera: User, sample: ImportExecutionLog) -> None:
    assert "15</dd>" in page(client, vera, "?start_date=2026-01-05&end_date=2026-01-05")
    assert "No position was closed" in page(client, vera, "?start_date=2026-01-06")
    assert "No position was closed" in page(client, vera, "?period=days&end_date=2026-01-04")


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_a_period_is_chosen(
    client: Client, vera: User, sample: ImportExecutionLog, period: str
) -> None:
    with at(datetime.fromisoformat("2026-01-06T12:00Z")):
        assert "15</dd>" in page(client, vera, f"?period={period}")
    with at(datetime.fromisoformat("2027-04-06T12:00Z")):
        assert "No position was closed" in page(client, vera, f"?period={period}")


def test_what_periods_are() -> None:
    day = date(2026, 11, 21)
    told = {name: str(period_named(name, day)) for name in ("week", "month", "quarter", "year", "")}
    assert told == {
        "week": "2026-11-16 to 2026-11-22",
        "month": "2026-11-01 to 2026-11-30",
        "quarter": "2026-10-01 to 2026-12-31",
        "year": "2026-01-01 to 2026-12-31",
        "": "all time",
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?account=nobody", "nobody is not one of the available choices"),
        ("?period=decade", "decade is not one of the available choices"),
        ("?start_date=tomorrow", "Enter a valid date"),
        ("?start_date=2026-02-30", "Enter a valid date"),
        ("?end_date=9999-12-31", "is too far away"),
        ("?start_date=0001-01-01", "is too far away"),
        ("?start_date=2026-02-01&end_date=2026-01-01", "is before 2026-02-01"),
        ("?period=days", "Say from which day"),
        ("?currency=aaaaaaaaa", "at most 7 characters"),
        ("?currency=%27%3B--", "15</dd>"),  # of no position; the first one is shown
    ],
)
def test_what_cannot_be_used_is_said(
    client: Client, vera: User, sample: ImportExecutionLog, query: str, words: str
) -> None:
    assert words in page(client, vera, query)
    response = client.get(reverse("dashboard-part", args=["positions"]) + query)
    assert response.status_code in (200, 302)


def test_each_currency_has_a_tab(client: Client, vera: User, sample: ImportExecutionLog) -> None:
    closed("5", currency="EUR")
    closed("7", currency="")
    text = page(client, vera, "?currency=EUR&account=Sim101")
    assert "Profit and loss, EUR" in text
    assert 'href="/admin/?currency=USD&amp;account=Sim101"' in text
    assert "Profit and loss, unknown currency" in page(client, vera, "?currency=unknown")
    assert "Profit and loss, USD" in page(client, vera)


def test_days_and_instruments_lead_to_what_was_counted(
    client: Client, vera: User, sample: ImportExecutionLog
) -> None:
    text = page(client, vera, "?account=Sim101&start_date=2026-01-05&end_date=2026-01-07")
    [day] = re.findall(r'<td class="[^"]*tl-traded"><a href="([^"]+)"', text)
    [note, *_] = re.findall(r'<th scope="row"><a class="tl-link" href="([^"]+)"><bdi>ZN', text)
    listed = client.get(unescape(day)).context["page"].paginator.count
    assert listed == Position.objects.closed().filter(account__name="Sim101").count() == 5
    assert "start_date" not in day + note
    assert client.get(unescape(note)).context["page"].paginator.count == 2


def test_the_unknown_is_said_with_the_way_to_set_it(
    client: Client, adam: User, vera: User, sample: ImportExecutionLog
) -> None:
    stock = Instrument.objects.create(symbol="XYZ", root="XYZ", kind="stock", currency="USD")
    closed(None, instrument=stock)
    address = reverse("point-value", args=[stock.pk])
    text = page(client, adam)
    assert "1 closed position of unknown P&amp;L is not in these figures" in text
    assert text.count(f'href="{address}"') == 2  # there, and under what needs attention
    text = page(client, vera)
    assert "1 closed position of unknown P&amp;L is not in these figures" in text
    assert address not in text


# --- Quick, however much there is


def test_the_page_asks_a_bounded_number_of_questions(
    client: Client,
    vera: User,
    sample: ImportExecutionLog,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    place_schedules()
    for number in range(60):
        closed("1", MORNING + timedelta(days=20 * number), account=account(f"A{number}"))
    client.force_login(vera)
    with django_assert_max_num_queries(35):
        client.get(PAGE)


def test_what_is_much_is_asked_for_apart(
    client: Client, vera: User, sample: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "PARTS", {**dashboard.PARTS})
    part = dashboard.PARTS["positions"]
    fewer = type(part)(**{**vars(part), "most": 14})
    dashboard.PARTS["positions"] = fewer
    text = page(client, vera, "?account=Sim101&account=LIVE-7001&account=LIVE-7002")
    found = re.search(r'hx-get="(/admin/dashboard/positions/[^"]+)"', text)
    assert "15</dd>" not in text
    apart = client.get(found[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert "15</dd>" in apart.content.decode()
    assert "<html" not in apart.content.decode()
    assert found[1].partition("?")[0] not in page(client, vera, "?account=Sim101")


def test_of_much_the_drawdown_and_instruments_come_last(
    client: Client, vera: User, sample: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed("5", currency="EUR")
    whole = page(client, vera, "?account=Sim101&currency=USD")
    monkeypatch.setattr("trades.overview.MOST_AT_ONCE", 4)
    text = page(client, vera, "?account=Sim101")
    [address] = re.findall(r'hx-get="(/admin/dashboard/rest/[^"]+)"', text)
    assert "5</dd><dd>on 1 day" in text
    assert "P&amp;L per instrument" not in text
    rest = client.get(unescape(address), headers={"HX-Request": "true"}).content.decode()
    rest = " ".join(rest.split())
    for begin, end in (("<dt>Largest drawdown", "</div>"), ('<h3 id="instruments-', "</section>")):
        words = f"{begin}.*?{end}"
        assert re.search(words, rest)[0] == re.search(words, whole)[0]
    assert "Drawdown and instruments" in client.get(unescape(address)).content.decode()


# --- Imports and jobs


def test_imports_are_counted_by_outcome(client: Client, vera: User, take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    take_in(file_of(fill(ID="2", Account="Other")))
    take_in(b"undefined")
    text = page(client, vera)
    assert re.search(r'<dt>Success</dt><dd><a [^>]*status=success">2</a>', text)
    assert re.search(r'<dt>Failed</dt><dd><a [^>]*status=failed">1</a>', text)
    text = page(client, vera, "?account=Other")
    assert re.search(r'<dt>Success</dt><dd><a [^>]*status=success">1</a>', text)
    both = page(client, vera, "?account=Other&account=Sim101")
    assert re.search(r'<dt>Success</dt><dd><a [^>]*status=success">2</a>', both)


def test_the_chart_of_imports_has_every_step() -> None:
    days = [Day(date(2026, 1, 1), success=1), Day(date(2026, 1, 4), failed=2)]
    step, found = in_steps(days)
    assert (step, [day.total for day in found]) == ("day", [1, 0, 0, 2])
    years = [Day(date(2024, 1, 1), success=1), Day(date(2026, 1, 1), partial=1)]
    step, found = in_steps(years)
    assert (step, len(found), sum(day.total for day in found)) == ("week", 105, 2)
    assert in_steps([]) == ("day", [])


@pytest.mark.parametrize(
    ("step", "number"), [("day", 366), ("week", 53), ("month", 13), ("year", 2)]
)
def test_steps_between_two_days(step: str, number: int) -> None:
    found = list(steps_between(step, date(2025, 1, 6), date(2026, 1, 6)))
    assert (len(found), found) == (number, sorted(set(found)))


def test_jobs_are_counted_by_outcome_and_duration(
    client: Client, vera: User, sample: ImportExecutionLog
) -> None:
    now = timezone.now()
    for number, (status, took) in enumerate([("success", 60), ("success", 120), ("error", 1)]):
        JobLog.objects.create(
            name=f"2026010506350{number}",
            job="scan_inbox",
            status=status,
            trigger="manual",
            started_at=now,
            finished_at=now + timedelta(seconds=took),
        )
    text = page(client, vera)
    row = text[text.index("?job=scan_inbox") :][:1500]
    assert 'data-label="Success">2</td>' in row
    assert "status=error" in row
    assert 'data-label="Average time">1 min 00 s</td>' in row
    assert 'data-label="Longest time">2 min 00 s</td>' in row


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, None),
        (0.84, "840 ms"),
        (3.1, "3.1 s"),
        (245, "4 min 05 s"),
        (3 * 3600 + 7 * 60, "3 h 07 min"),
        (52 * 3600, "2 d 4 h"),
    ],
)
def test_time_in_words(seconds: float | None, words: str | None) -> None:
    assert time_in_words(seconds) == words


# --- What needs attention


def told(user: User) -> list[str]:
    return [one.words for one in concerns(User.objects.get(pk=user.pk))]


def test_nothing_is_amiss(client: Client, vera: User, sample: ImportExecutionLog) -> None:
    JobLog.objects.start("attend", trigger="schedule")
    now = timezone.now()
    JobLog.objects.update(status=Status.PROCESSING, heartbeat_at=now)
    IntegrityIssue.objects.all().delete()
    assert told(vera) == []
    assert "Nothing." in page(client, vera)


def test_a_queue_without_a_worker_is_told(vera: User) -> None:
    assert told(vera) == ["Nothing works on the queue: no worker runs"]


def test_failed_imports_are_told_until_they_are_retried(take_in: TakeIn) -> None:
    ilse = person("ilse", "view_importexecutionlog")
    log = take_in(b"undefined", "broken.csv")
    assert told(ilse) == ["1 import of the last 30 days failed, with no retry since"]
    ImportExecutionLog.objects.create(file_name="again.csv", status="success", retry_of=log)
    assert told(ilse) == []
    take_in(file_of(fill(), fill(ID="2", Quantity="abc")))
    assert told(ilse) == ["1 import of the last 30 days took in only a part, with no retry since"]
    with at(timezone.now() + timedelta(days=31)):
        assert told(ilse) == []


def test_late_jobs_are_told(vera: User) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    Schedule.objects.create(
        name="scan_inbox", func="joblogs.tasks.recur", next_run=long_ago, minutes=1
    )
    assert "1 recurring job late" in told(vera)


def test_issues_and_unknown_point_values_are_told() -> None:
    tina = person("tina", "view_position", "view_integrityissue")
    stock = Instrument.objects.create(symbol="XYZ", root="XYZ", kind="stock")
    assert told(tina) == []
    position = closed(None, instrument=stock)
    IntegrityIssue.objects.create(
        kind="gap",
        account=position.account,
        instrument=stock,
        position=position,
        trade_id=1,
        key="x",
        message="a gap",
        occurred_at=MORNING,
        shows_from=MORNING,
    )
    assert told(tina) == [
        "1 issue of trades that do not fit together",
        "The P&L in 1 instrument is unknown, for want of a point value",
    ]
    assert told(person("nobody")) == []
