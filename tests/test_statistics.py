"""The statistics of imports, beside a count by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from imports.chart import HEIGHT, STEP, chart
from imports.models import ImportExecutionLog
from imports.states import Status
from imports.statistics import DAYS, Day, percent, statistics

Type = ImportExecutionLog.Type
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def ended(
    status: Status, *, ago: timedelta = timedelta(0), rows: tuple[int, int, int] = (0, 0, 0)
) -> ImportExecutionLog:
    """An import that came in so long ago, with so many rows taken in, failed and known."""
    success, failed, skipped = rows
    log = ImportExecutionLog.objects.create(
        file_name="fills.csv",
        status=status,
        total_rows=sum(rows),
        success_rows=success,
        failed_rows=failed,
        skipped_rows=skipped,
    )
    ImportExecutionLog.objects.filter(pk=log.pk).update(queued_at=NOON - ago)
    return log


@pytest.mark.django_db
def test_without_imports_nothing_is_divided() -> None:
    found = statistics()
    assert (found.total_imports, found.total_rows, found.last_24_hours) == (0, 0, 0)
    assert found.success_rate is found.average_time_ms is found.last_import is None
    assert [day.total for day in found.by_day] == [0] * DAYS


@pytest.mark.django_db
def test_imports_and_their_rows_are_counted() -> None:
    ended(Status.SUCCESS, rows=(6, 0, 1))
    ended(Status.PARTIAL, rows=(2, 1, 0), ago=timedelta(hours=23))
    ended(Status.FAILED, ago=timedelta(hours=25))
    found = statistics()
    assert (found.total_imports, found.last_24_hours, found.last_import) == (3, 2, NOON)
    assert (found.total_rows, found.success_rows) == (10, 8)
    assert (found.failed_rows, found.skipped_rows, found.success_rate) == (1, 1, 90.0)


@pytest.mark.django_db
def test_every_status_and_type_is_named() -> None:
    ended(Status.SUCCESS)
    ImportExecutionLog.objects.update(import_type=Type.BACKUP)
    found = statistics()
    assert found.by_status == dict.fromkeys(Status.values, 0) | {"success": 1}
    assert found.by_type == dict.fromkeys(Type.values, 0) | {"backup": 1}


@pytest.mark.django_db
def test_the_average_time_is_of_those_that_have_one() -> None:
    for milliseconds in (100, 301, None):
        log = ended(Status.SUCCESS)
        ImportExecutionLog.objects.filter(pk=log.pk).update(processing_time_ms=milliseconds)
    assert statistics().average_time_ms == 200


@pytest.mark.django_db
def test_each_of_the_last_days_has_its_outcomes() -> None:
    ended(Status.SUCCESS, ago=timedelta(days=29))
    ended(Status.PARTIAL, ago=timedelta(days=2))
    ended(Status.FAILED, ago=timedelta(days=2))
    ended(Status.ROLLED_BACK)
    ended(Status.SUCCESS, ago=timedelta(days=30))
    days = statistics().by_day
    assert [day.date for day in days] == sorted(day.date for day in days)
    assert (days[0].success, days[0].total) == (1, 1)
    assert (days[-3].partial, days[-3].failed, days[-3].total) == (1, 1, 2)
    assert (days[-1].other, sum(day.total for day in days)) == (1, 4)


@pytest.mark.django_db
def test_a_day_is_one_of_the_zone_of_the_pages() -> None:
    ended(Status.SUCCESS, ago=timedelta(hours=8))  # 04:00 in London, 21:00 of the day before here
    with timezone.override("America/Los_Angeles"):
        days = statistics().by_day
    assert (days[-1].total, days[-2].total) == (0, 1)


@pytest.mark.django_db
def test_four_questions_are_enough(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for days in range(10):
        ended(Status.SUCCESS, ago=timedelta(days=days))
    with django_assert_num_queries(4):
        statistics()


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, None), (0, 9, 0.0), (9, 9, 100.0), (99_999, 100_000, 99.9), (1, 100_000, 0.1)],
)
def test_a_hundred_percent_means_all(part: int, whole: int, expected: float | None) -> None:
    assert percent(part, whole) == expected


def test_bars_are_as_high_as_their_numbers() -> None:
    days = [Day(NOON.date(), success=2, failed=2), Day(NOON.date()), Day(NOON.date(), other=1)]
    drawn = chart(days)
    assert (drawn.most, drawn.width) == (4, 3 * STEP)
    assert [(one.outcome, one.x, one.y, one.height) for one in drawn.pieces] == [
        ("success", 0, HEIGHT / 2, HEIGHT / 2),
        ("failed", 0, 0, HEIGHT / 2),
        ("other", 2 * STEP, HEIGHT * 3 / 4, HEIGHT / 4),
    ]
    assert drawn.pieces[1].words == "2026-03-15: 2 failed"


def test_days_without_imports_draw_nothing() -> None:
    assert chart([Day(NOON.date())]).pieces == []
