"""The page of imports: its doors, filters, paging, what opens under a row, and the upload."""

import re
from datetime import UTC, datetime
from html import escape

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from imports.models import ImportExecutionLog
from imports.pages import PER_PAGE
from imports.rowpages import PAGE
from imports.states import Status
from tests.conftest import TakeIn, file_of, fill, work_off

LIST = reverse("import-logs")
UPLOAD = reverse("import-upload")
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill())
BY_SCRIPT = {"headers": {"HX-Request": "true"}}
TABS = ["import-rows", "import-errors", "import-performance"]
# A stranger's cells, where a browser or a spreadsheet might take them for more than text.
HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil.example","win")',
    "\u202egnp.exe",
    "{{ 7|add:7 }}",
]


def member_of(group: str) -> User:
    """Who is in one of the groups, and not in the staff."""
    user = User.objects.create_user(f"a {group}", password="a long enough password")
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def as_viewer(client: Client, db: None) -> Client:
    client.force_login(member_of("viewer"))
    return client


@pytest.fixture
def as_operator(client: Client, db: None) -> Client:
    client.force_login(member_of("operator"))
    return client


@pytest.fixture
def as_admin(client: Client, db: None) -> Client:
    client.force_login(member_of("admin"))
    return client


def some(number: int, **values: object) -> list[ImportExecutionLog]:
    """Imports that have ended, without files and lines."""
    values = {"file_name": "fills.csv", "status": Status.SUCCESS} | values
    return [ImportExecutionLog.objects.create(**values) for _ in range(number)]


def text_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def listed(client: Client, **query: object) -> list[int]:
    """The imports that the list shows, in its order."""
    found = re.findall(r'<tr id="import-(\d+)"', text_of(client.get(LIST, query)))
    return [int(number) for number in found]


def put(client: Client, *files: tuple[str, str], **wishes: object) -> HttpResponse:
    data = {"files": [SimpleUploadedFile(name, text.encode()) for name, text in files]}
    return client.post(UPLOAD, data | wishes.pop("data", {}), **wishes)


# --- The doors


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["import-logs", *TABS])
def test_a_stranger_is_asked_to_log_in(client: Client, name: str) -> None:
    (log,) = some(1)
    address = reverse(name, args=[] if name == "import-logs" else [log.pk])
    response = client.get(address, {"status": "failed"})
    assert response.status_code == 302
    assert response.url.startswith(reverse("login") + "?next=" + address)


@pytest.mark.django_db
def test_a_stranger_uploads_nothing(client: Client) -> None:
    assert put(client, ("fills.csv", PARTIAL)).status_code == 302
    assert put(client, ("fills.csv", PARTIAL), **BY_SCRIPT).status_code == 401
    assert not ImportExecutionLog.objects.exists()


@pytest.mark.django_db
def test_a_script_is_told_that_the_login_is_over(client: Client) -> None:
    response = client.get(LIST, **BY_SCRIPT)
    assert (response.status_code, response["HX-Refresh"]) == (401, "true")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["import-logs", *TABS])
def test_who_is_in_no_group_is_refused(client: Client, name: str) -> None:
    (log,) = some(1)
    client.force_login(User.objects.create_user("nora", password="a long enough password"))
    address = reverse(name, args=[] if name == "import-logs" else [log.pk])
    assert client.get(address).status_code == 403


@pytest.mark.parametrize("name", TABS)
def test_a_viewer_sees_without_being_of_the_staff(
    as_viewer: Client, take_in: TakeIn, name: str
) -> None:
    log = take_in(PARTIAL)
    assert listed(as_viewer) == [log.pk]
    assert "fills.csv" in text_of(as_viewer.get(reverse(name, args=[log.pk])))


def test_a_viewer_uploads_nothing(as_viewer: Client) -> None:
    assert put(as_viewer, ("fills.csv", PARTIAL)).status_code == 403
    assert not ImportExecutionLog.objects.exists()


@pytest.mark.parametrize("address", [LIST, UPLOAD])
def test_nobody_is_offered_another_method(as_admin: Client, address: str) -> None:
    assert as_admin.put(address).status_code == 405
    assert as_admin.get(UPLOAD).status_code == as_admin.post(LIST).status_code == 405


def test_the_buttons_are_those_of_rights_and_state(client: Client, take_in: TakeIn) -> None:
    take_in(PARTIAL)
    offered = {
        "viewer": (False, False, False),
        "operator": (True, True, False),
        "admin": (True, True, True),
    }
    for group, expected in offered.items():
        client.force_login(member_of(group))
        text = text_of(client.get(LIST))
        assert ('id="upload"' in text, ">Retry<" in text, ">Roll back<" in text) == expected


def test_what_runs_has_no_buttons_but_a_bar(as_admin: Client) -> None:
    some(1, status=Status.RUNNING, cursor=250, line_count=1001, started_at=timezone.now())
    text = text_of(as_admin.get(LIST))
    assert 'value="250" max="1000"' in text
    assert ">Retry<" not in text
    assert ">Roll back<" not in text


def test_an_import_leads_to_its_trades(as_admin: Client, take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    text = text_of(as_admin.get(LIST))
    assert ">View trades<" in text
    assert f"{reverse('trades')}?import={log.pk}" in text
    assert reverse("admin:trades_trade_changelist") not in text  # it is not of the staff


# --- Logging in and out without being of the staff


@pytest.mark.django_db
def test_a_viewer_logs_in_and_out(client: Client) -> None:
    member_of("viewer")
    data = {"username": "a viewer", "password": "a long enough password"}
    there = client.post(f"{reverse('login')}?next={LIST}", data | {"next": LIST})
    assert (there.status_code, there.url) == (302, LIST)
    assert "Import logs" in text_of(client.get(LIST))
    assert client.post(reverse("admin:logout")).url == reverse("login")
    assert client.get(LIST).status_code == 302


@pytest.mark.django_db
def test_a_viewer_sets_another_password(client: Client) -> None:
    user = member_of("viewer")
    client.force_login(user)
    old, new = "a long enough password", "another one, long enough"
    data = {"old_password": old, "new_password1": new, "new_password2": new}
    changed = client.post(reverse("admin:password_change"), data, follow=True)
    assert changed.status_code == 200
    user.refresh_from_db()
    assert user.check_password(new)


@pytest.mark.django_db
def test_a_wrong_password_is_refused(client: Client) -> None:
    member_of("viewer")
    data = {"username": "a viewer", "password": "a wrong password"}
    assert "correct" in text_of(client.post(reverse("login"), data))


# --- Filters, order, pages


def test_the_newest_stand_first_by_25(as_viewer: Client) -> None:
    logs = some(30)
    assert listed(as_viewer) == [log.pk for log in reversed(logs)][:25]
    assert listed(as_viewer, page=2) == [log.pk for log in reversed(logs)][25:]


@pytest.mark.parametrize("number", PER_PAGE)
def test_a_page_has_as_many_as_asked_for(as_viewer: Client, number: int) -> None:
    some(101)
    assert len(listed(as_viewer, per_page=number)) == number


@pytest.mark.parametrize("text", ["100000", "0", "-1", "x", "9" * 5000, "٢٥"])
def test_a_page_is_never_longer_than_offered(as_viewer: Client, text: str) -> None:
    some(101)
    assert len(listed(as_viewer, per_page=text)) == 25


@pytest.mark.parametrize("text", ["0", "-1", "x", "99", "9" * 5000])
def test_there_is_always_some_page(as_viewer: Client, text: str) -> None:
    some(1)
    assert len(listed(as_viewer, page=text)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"status": "failed"},
        {"type": "backup"},
        {"account": "Sim101"},
        {"search": "MONDAY"},
        {"start_date": "2026-03-02"},
        {"start_date": "2026-03-02", "end_date": "2026-03-02"},
    ],
)
def test_each_filter_leaves_what_fits(as_viewer: Client, query: dict[str, str]) -> None:
    (wanted,) = some(
        1,
        status=Status.FAILED,
        import_type="backup",
        affected_accounts=["LIVE-1", "Sim101"],
        file_name="monday.csv",
    )
    some(1, affected_accounts=["Sim1012", "SIM101"])
    ImportExecutionLog.objects.update(queued_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    late = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    ImportExecutionLog.objects.filter(pk=wanted.pk).update(queued_at=late)
    assert listed(as_viewer, **query) == [wanted.pk]


def test_an_account_is_found_by_what_a_file_was_meant_for(as_viewer: Client) -> None:
    (wanted, _) = some(1, default_account="Sim101") + some(1, default_account="sim101")
    assert listed(as_viewer, account="Sim101") == [wanted.pk]


def test_days_are_those_of_the_zone_of_the_pages(as_viewer: Client, settings: object) -> None:
    settings.TIME_ZONE = "America/Los_Angeles"
    (log,) = some(1)
    ImportExecutionLog.objects.update(queued_at=datetime(2026, 3, 2, 7, 59, tzinfo=UTC))
    assert listed(as_viewer, start_date="2026-03-01", end_date="2026-03-01") == [log.pk]
    assert listed(as_viewer, start_date="2026-03-02") == []


@pytest.mark.parametrize(
    "query",
    [
        {"status": "broken"},
        {"type": "xml"},
        {"start_date": "yesterday"},
        {"start_date": "1/5/2026"},
        {"end_date": "9999-12-31"},
        {"start_date": "0001-01-01"},
        {"start_date": "2026-03-02", "end_date": "2026-03-01"},
        {"sort_by": "owner"},
        {"sort_order": "up"},
        {"search": "x" * 256},
    ],
)
def test_what_no_filter_understands_is_no_empty_list(
    as_viewer: Client, query: dict[str, str]
) -> None:
    some(1)
    text = text_of(as_viewer.get(LIST, query))
    assert "These filters cannot be used" in text
    assert "No imports" not in text
    assert f"<code>{[*query][-1]}</code>" in text


def test_an_empty_list_says_why(as_viewer: Client) -> None:
    assert "No imports yet." in text_of(as_viewer.get(LIST))
    some(1)
    text = text_of(as_viewer.get(LIST, {"status": "failed"}))
    assert "No imports fit these filters." in text
    assert "No imports yet." not in text


def test_a_column_sorts_both_ways(as_viewer: Client) -> None:
    first, second, third = (some(1, file_name=name)[0].pk for name in ("b.csv", "a.csv", "b.csv"))
    assert listed(as_viewer, sort_by="file_name", sort_order="asc") == [second, first, third]
    assert listed(as_viewer, sort_by="file_name", sort_order="desc") == [third, first, second]


def test_paging_and_sorting_keep_the_filters(as_viewer: Client) -> None:
    some(60, status=Status.FAILED)
    text = text_of(as_viewer.get(LIST, {"status": "failed", "page": 2, "open": "1.rows"}))
    links = [
        link.replace("&amp;", "&") for link in re.findall(r'href="(\?[^"]*page=3[^"]*)"', text)
    ]
    assert links == ["?status=failed&page=3"]
    assert 'href="?status=failed&amp;sort_by=file_name&amp;sort_order=desc"' in text


def test_a_script_gets_the_list_alone(as_viewer: Client) -> None:
    some(1)
    text = text_of(as_viewer.get(LIST, **BY_SCRIPT))
    assert text.strip().startswith('<section id="imports"')
    assert "no-store" in as_viewer.get(LIST)["Cache-Control"]


# --- What opens under a row


def test_lines_are_shown_by_the_page(as_viewer: Client, take_in: TakeIn) -> None:
    log = take_in(file_of(*(fill(ID=f"exec-{number}") for number in range(PAGE + 5))))
    address = reverse("import-rows", args=[log.pk])
    first, second = text_of(as_viewer.get(address)), text_of(as_viewer.get(address, {"from": 52}))
    assert f"?from={PAGE + 2}" in first
    assert first.count('data-label="Line"') == PAGE
    assert second.count('data-label="Line"') == 5


def test_all_that_is_wrong_with_a_line_is_shown(as_viewer: Client, take_in: TakeIn) -> None:
    log = take_in(file_of(fill(Quantity="abc", Price="n/a"), fill()))
    text = text_of(as_viewer.get(reverse("import-errors", args=[log.pk]), **BY_SCRIPT))
    assert "&#x27;abc&#x27; is not a number" in text
    assert "invalid_price" in text
    assert text.count('data-label="Line"') == 2
    assert "<html" not in text


def test_the_performance_is_told(as_viewer: Client) -> None:
    (log,) = some(1, total_rows=1000, success_rows=1000, processing_time_ms=500)
    text = text_of(as_viewer.get(reverse("import-performance", args=[log.pk])))
    assert "500 ms" in text
    assert "2,000" in text


@pytest.mark.parametrize("name", TABS)
def test_an_import_that_does_not_exist_is_not_found(as_viewer: Client, name: str) -> None:
    assert as_viewer.get(reverse(name, args=[999])).status_code == 404
    assert as_viewer.get(reverse(name, args=[10**18]), **BY_SCRIPT).status_code == 404


@pytest.mark.parametrize("cell", HOSTILE)
def test_a_hostile_cell_is_text_everywhere(as_viewer: Client, take_in: TakeIn, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    log = take_in(file_of(fill(Quantity=quoted), fill(ID="exec-2", Name=quoted)), name=cell)
    for address in (LIST, *(reverse(name, args=[log.pk]) for name in TABS)):
        text = text_of(as_viewer.get(address))
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "14" not in re.findall(r"<bdi>(.*?)</bdi>", text)
    rows = text_of(as_viewer.get(reverse("import-rows", args=[log.pk])))
    assert f"<dd><bdi>{escape(cell)}</bdi></dd>" in rows


# --- Upload


def test_files_are_queued_and_the_page_says_so(as_operator: Client) -> None:
    response = put(as_operator, ("a.csv", PARTIAL), ("b.csv", file_of(fill(ID="exec-9"))))
    assert (response.status_code, response.url) == (302, LIST)
    assert ImportExecutionLog.objects.filter(status=Status.QUEUED).count() == 2
    assert "a.csv has been received" in text_of(as_operator.get(LIST))
    work_off()
    assert {log.status for log in ImportExecutionLog.objects.all()} == {"partial", "success"}


def test_a_script_is_told_what_it_has_sent(as_operator: Client) -> None:
    wishes = {"account": "Sim7", "timezone": "America/Chicago"}
    response = put(as_operator, ("a.csv", PARTIAL), data=wishes, **BY_SCRIPT)
    log = ImportExecutionLog.objects.get()
    assert response.status_code == 202
    assert response.json()["imports"][0]["id"] == log.pk
    assert (log.default_account, log.timezone) == ("Sim7", "America/Chicago")
    assert log.created_by.username == "a operator"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"format": "telegraph"}, "Format"),
        ({"account": "x" * 101}, "Account"),
    ],
)
def test_what_cannot_be_wished_is_refused_with_a_reason(
    as_operator: Client, data: dict[str, str], words: str
) -> None:
    response = put(as_operator, ("a.csv", PARTIAL), data=data, **BY_SCRIPT)
    assert response.status_code == 400
    assert words in response.json()["errors"][0]
    assert put(as_operator, ("a.csv", PARTIAL), data=data, follow=True).status_code == 200
    assert not ImportExecutionLog.objects.exists()


def test_without_a_file_nothing_is_queued(as_operator: Client) -> None:
    assert as_operator.post(UPLOAD, {}, **BY_SCRIPT).status_code == 400
    assert not ImportExecutionLog.objects.exists()


def test_a_file_that_is_too_large_is_a_failed_import(as_operator: Client, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    response = put(as_operator, ("a.csv", PARTIAL), **BY_SCRIPT)
    (told,) = response.json()["imports"]
    assert not told["is_received"]
    assert "larger than" in told["words"]


def test_an_upload_without_the_token_is_refused(as_operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_operator.cookies
    assert put(strict, ("a.csv", PARTIAL)).status_code == 403


# --- Few questions to the database, however much there is


def test_the_list_asks_no_more_for_more_imports(
    as_admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    some(1)
    counts = []
    for _ in range(2):
        with django_assert_max_num_queries(14) as asked:
            as_admin.get(LIST, {"per_page": 100})
        counts.append(len(asked))
        for status in Status:
            some(15, status=status, trades_created=3, total_rows=3, skipped_rows=3)
    assert counts[0] == counts[1]


def test_a_refreshed_list_asks_even_less(
    as_admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    some(30)
    with django_assert_max_num_queries(6):
        as_admin.get(LIST, **BY_SCRIPT)


@pytest.mark.parametrize("name", TABS)
def test_what_opens_asks_little(
    as_admin: Client,
    take_in: TakeIn,
    name: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    log = take_in(
        file_of(*(fill(ID=f"exec-{number}") for number in range(PAGE + 5)), fill(ID="x", Price="?"))
    )
    with django_assert_max_num_queries(10):
        as_admin.get(reverse(name, args=[log.pk]), **BY_SCRIPT)
