"""Yesterday by itself, and missed days once."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone
from django_q.models import Schedule

from imports.cancel import cancel
from imports.daily import days_asked, days_due, days_failed, import_yesterday, is_due
from imports.daterange import receive_range
from imports.days import DayStatus
from imports.models import ImportExecutionLog
from imports.states import Status
from joblogs.models import JobLog
from joblogs.schedules import place_schedules
from joblogs.tasks import recur
from tests.conftest import work_off
from tests.fillsource import FillSource, use
from trades.models import Trade

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: object, settings: object) -> FillSource:
    source = FillSource(tmp_path / "desk.sqlite3").prepare()
    for day in range(1, 10):
        source.fill(f"fill-{day}", f"2026-01-{day:02} 14:00:00")
    use(settings, source.as_setting())
    return source


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> object:
    """It is noon of the 9th, until told otherwise."""

    def turn(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    turn(NOON)
    return turn


def days_of_imports() -> list[list[str]]:
    logs = ImportExecutionLog.objects.order_by("pk")
    return [[day["date"] for day in log.days] for log in logs]


@pytest.mark.django_db(transaction=True)
def test_yesterday_is_taken_in_once(source: FillSource) -> None:
    recur("import_yesterday")
    work_off()
    recur("import_yesterday")
    assert days_of_imports() == [["2026-01-08"]]
    assert ImportExecutionLog.objects.get().status == Status.SUCCESS
    assert Trade.objects.get().execution_id == "fill-8"
    assert JobLog.objects.get(job="import_yesterday").result["days"] == 1


def test_missed_days_come_once_in_one_import(source: FillSource, clock: object) -> None:
    import_yesterday()
    clock(datetime(2026, 1, 13, 0, 30, tzinfo=UTC))
    import_yesterday()
    import_yesterday()
    days = ["2026-01-09", "2026-01-10", "2026-01-11", "2026-01-12"]
    assert days_of_imports() == [["2026-01-08"], days]


def test_no_more_than_thirty_missed_days_come(source: FillSource, clock: object) -> None:
    import_yesterday()
    clock(datetime(2026, 4, 1, 12, tzinfo=UTC))
    assert days_due() == (date(2026, 3, 2), date(2026, 3, 31))


def test_missed_days_come_although_somebody_was_faster_with_yesterday(
    source: FillSource, clock: object
) -> None:
    import_yesterday()
    clock(datetime(2026, 1, 13, 0, 30, tzinfo=UTC))
    receive_range(date(2026, 1, 12), date(2026, 1, 12))
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 12))
    import_yesterday()
    assert not is_due()


def test_a_day_that_was_asked_for_before_its_end_comes_again(
    source: FillSource, clock: object
) -> None:
    receive_range(date(2026, 1, 3), date(2026, 1, 9))
    assert not is_due()
    clock(datetime(2026, 1, 10, 0, 30, tzinfo=UTC))
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 9))


def test_what_a_user_has_stopped_is_not_begun_anew(source: FillSource, olga: object) -> None:
    import_yesterday()
    cancel(ImportExecutionLog.objects.get(), olga)
    assert not is_due()


def ended(day: int, became: DayStatus, status: Status) -> None:
    """A day was asked for and the import has ended like this."""
    log = receive_range(date(2026, 1, day), date(2026, 1, day))
    log.days = [log.days[0] | {"status": became}]
    log.status = status
    log.save()


def test_a_day_that_failed_comes_with_the_next(source: FillSource, clock: object) -> None:
    ended(7, DayStatus.DONE, Status.SUCCESS)
    ended(8, DayStatus.FAILED, Status.FAILED)
    assert not is_due()  # not every hour, but with the next day
    clock(datetime(2026, 1, 10, 0, 30, tzinfo=UTC))
    assert days_due() == (date(2026, 1, 8), date(2026, 1, 9))
    import_yesterday()
    assert not is_due()


def test_a_day_that_failed_is_given_up_after_a_week(source: FillSource, clock: object) -> None:
    ended(1, DayStatus.FAILED, Status.FAILED)
    for day in range(2, 9):
        ended(day, DayStatus.DONE, Status.SUCCESS)
    clock(datetime(2026, 1, 8, 12, tzinfo=UTC))
    assert days_failed(days_asked()) == {date(2026, 1, 1)}
    clock(datetime(2026, 1, 10, 12, tzinfo=UTC))
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 9))


@pytest.mark.parametrize(
    ("became", "status"),
    [
        (DayStatus.DONE, Status.PARTIAL),  # for another of its days
        (DayStatus.WAITING, Status.QUEUED),  # a retry is on its way
        (DayStatus.WAITING, Status.CANCELLED),
    ],
)
def test_a_day_that_failed_and_was_seen_to_does_not_come_again(
    source: FillSource, clock: object, became: DayStatus, status: Status
) -> None:
    ended(8, DayStatus.FAILED, Status.FAILED)
    ended(8, became, status)
    clock(datetime(2026, 1, 10, 0, 30, tzinfo=UTC))
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 9))


def test_a_day_that_was_rolled_back_does_not_come_along_with_one_that_failed(
    source: FillSource, clock: object
) -> None:
    ended(7, DayStatus.FAILED, Status.FAILED)
    ended(8, DayStatus.DONE, Status.ROLLED_BACK)
    clock(datetime(2026, 1, 10, 0, 30, tzinfo=UTC))
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 9))


def test_yesterday_is_that_of_the_source(source: FillSource, settings: object) -> None:
    use(settings, source.as_setting() | {"TIMEZONE": "Pacific/Kiritimati"})  # UTC+14
    assert days_due() == (date(2026, 1, 9), date(2026, 1, 9))


def test_the_bundled_sample_does_not_come_every_day(db: None) -> None:
    assert not is_due()


def test_without_a_source_nothing_comes(settings: object) -> None:
    use(settings, {"URL": "", "QUERY": "", "COLUMNS": "", "TIMEZONE": "UTC"})
    assert import_yesterday() == {"days": 0}
    assert not ImportExecutionLog.objects.exists()


def test_it_is_scheduled_once() -> None:
    place_schedules()
    place_schedules()
    assert Schedule.objects.get(name="import_yesterday").minutes == 60
