"""Days of a source by page and by API: rights, what is refused, and what is told."""

from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from imports.daterange import receive_range, usual_range
from imports.models import ImportExecutionLog
from imports.running import run_import
from imports.states import Status
from joblogs.models import JobLog
from tests.apis import asking, got, refused
from tests.conftest import work_off
from tests.fillsource import FillSource, use
from tests.test_import_pages import member_of, text_of
from trades.models import Trade

pytestmark = pytest.mark.django_db
CALL = "/api/import-logs/date-range"
PAGE = reverse("import-date-range")
RANGE = {"start_date": "2026-01-05", "end_date": "2026-01-07"}


@pytest.fixture(autouse=True)
def source(tmp_path: Path, settings: object) -> FillSource:
    """Fills on the 5th, 6th and 7th; of the 6th no answer comes."""
    source = FillSource(tmp_path / "desk.sqlite3").prepare()
    for day in (5, 6, 7):
        source.fill(f"fill-{day}", f"2026-01-0{day} 14:00:00")
    source.spoil("2026-01-06")
    use(settings, source.as_setting())
    return source


def partial() -> ImportExecutionLog:
    return run_import(receive_range(date(2026, 1, 5), date(2026, 1, 7)).pk)


def post(client: Client, body: object) -> object:
    return client.post(CALL, body, content_type="application/json")


# --- API


def test_days_are_asked_for_and_told_when_final(olga: User) -> None:
    client = asking(olga)
    response = post(client, RANGE)
    log = ImportExecutionLog.objects.get()
    assert (response.status_code, response.json()["id"]) == (202, log.pk)
    assert response.json()["import_batch_id"] == str(log.import_batch_id)
    before = got(client, f"/api/import-logs/detail/{log.pk}")
    assert before["date_range"]["days_waiting"] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    work_off()
    after = got(client, f"/api/import-logs/detail/{log.pk}")
    assert (after["import_summary"]["import_type"], after["import_summary"]["status"]) == (
        "date_range",
        "partial",
    )
    told = after["date_range"]
    assert told["days_done"] == ["2026-01-05", "2026-01-07"]
    assert told["days_waiting"] == []
    ((failed,),) = [told["days_failed"]]
    assert failed["date"] == "2026-01-06"
    assert "overflow" in failed["error"]
    assert (log.created_by, JobLog.objects.get(subject_id=log.pk).trigger) == (olga, "api")


def test_without_dates_the_last_seven_days_are_meant(olga: User) -> None:
    assert post(asking(olga), {}).status_code == 202
    days = [day["date"] for day in ImportExecutionLog.objects.get().days]
    assert len(days) == 7
    assert (days[0], days[-1]) == tuple(map(str, usual_range()))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"start_date": "2026-01-07", "end_date": "2026-01-05"}, "end_date"),
        ({"start_date": "2026-01-01", "end_date": "2026-01-31"}, "end_date"),
        ({"start_date": "2026-02-30", "end_date": "2026-03-01"}, "start_date"),
        ({"start_date": "2026-01-07"}, "end_date"),
        ({"end_date": "2026-01-07"}, "start_date"),
        ({"start_date": "2090-01-07", "end_date": "2090-01-07"}, "end_date"),
        ({"start_date": "0001-01-01", "end_date": "0001-01-01"}, "start_date"),
    ],
)
def test_a_range_that_cannot_be_asked_for(olga: User, body: dict[str, str], field: str) -> None:
    answer = refused(post(asking(olga), body), 400, "INVALID_PARAMETER")
    assert list(answer["details"]) == [field]
    assert not ImportExecutionLog.objects.exists()


def test_without_a_source_the_api_says_so(olga: User, settings: object) -> None:
    use(settings, {"URL": "", "QUERY": "", "COLUMNS": "", "TIMEZONE": "UTC"})
    refused(post(asking(olga), RANGE), 409, "NO_SOURCE")


def test_a_viewer_may_not_ask(vera: User) -> None:
    refused(post(asking(vera), RANGE), 403, "PERMISSION_DENIED")
    refused(post(asking(), RANGE), 401, "NOT_AUTHENTICATED")


def test_a_retry_by_the_api_asks_again(olga: User, source: FillSource) -> None:
    log = partial()
    source.mend()
    response = asking(olga).post(f"/api/import-logs/retry/{log.pk}")
    assert response.status_code == 202, response.content
    work_off()
    new = ImportExecutionLog.objects.get(pk=response.json()["id"])
    assert (new.status, new.success_rows, new.skipped_rows) == (Status.SUCCESS, 1, 2)


def test_other_imports_have_no_days(olga: User) -> None:
    asking(olga).post("/import-sample-data")
    log = ImportExecutionLog.objects.get()
    assert got(asking(olga), f"/api/import-logs/detail/{log.pk}")["date_range"] is None


# --- Pages


@pytest.fixture
def as_operator(client: Client) -> Client:
    client.force_login(member_of("operator"))
    return client


def test_the_form_begins_with_the_last_seven_days(as_operator: Client) -> None:
    text = text_of(as_operator.get(PAGE))
    for day in usual_range():
        assert f'value="{day}"' in text


def test_the_form_asks_for_days(as_operator: Client) -> None:
    response = as_operator.post(PAGE, RANGE)
    log = ImportExecutionLog.objects.get()
    assert (response.status_code, response.url) == (302, log.get_absolute_url())
    work_off()
    assert Trade.objects.count() == 2


def test_a_problem_stands_beside_its_field(as_operator: Client) -> None:
    text = text_of(as_operator.post(PAGE, {"start_date": "2026-01-07", "end_date": "2026-01-05"}))
    assert 'id="id_end_date_error"' in text
    assert "2026-01-05 is before 2026-01-07" in text
    assert not ImportExecutionLog.objects.exists()


def test_without_a_source_the_page_says_so(as_operator: Client, settings: object) -> None:
    use(settings, {"URL": "", "QUERY": "", "COLUMNS": "", "TIMEZONE": "UTC"})
    assert "TRADELOG_EXECUTIONS_URL" in text_of(as_operator.get(PAGE))
    response = as_operator.post(PAGE, RANGE)
    assert (response.status_code, ImportExecutionLog.objects.count()) == (409, 0)


def test_only_operators_see_the_form(client: Client) -> None:
    assert "login" in client.get(PAGE).url
    client.force_login(member_of("viewer"))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, RANGE).status_code == 403
    assert PAGE not in text_of(client.get(reverse("import-logs")))


def test_the_page_of_imports_leads_to_it(as_operator: Client) -> None:
    assert PAGE in text_of(as_operator.get(reverse("import-logs")))


def test_the_page_of_the_import_tells_each_day(as_operator: Client) -> None:
    text = text_of(as_operator.get(partial().get_absolute_url()))
    days = text[text.index('id="days"') :].partition("</section>")[0]
    assert days.count("<tr>") == 4
    assert "overflow" in days
    assert "1 of 3 days could not be had" in text


def test_the_retry_asks_for_the_failed_day(as_operator: Client, source: FillSource) -> None:
    log = partial()
    page = reverse("import-retry", args=[log.pk])
    assert "Asks again for the 1 day that is missing" in text_of(as_operator.get(page))
    source.mend()
    as_operator.post(page)
    work_off()
    assert ImportExecutionLog.objects.get(retry_of=log).status == Status.SUCCESS


def test_progress_is_counted_in_days(as_operator: Client) -> None:
    log = receive_range(date(2026, 1, 5), date(2026, 1, 7))
    assert "0 of 3 days are fetched" in text_of(as_operator.get(log.get_absolute_url()))
