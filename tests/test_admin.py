"""The pages of the admin: who may do what, filters, upload, row logs, retry and rollback."""

from collections.abc import Callable
from datetime import timedelta
from html import escape

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from batches.models import Batch, BatchTrade
from imports.models import ImportedExecution, ImportExecutionLog, ImportRowLog
from imports.rowpages import PAGE, row_page
from imports.states import Status
from joblogs.models import JobLog, Notice
from orders.models import OpenOrder, OpenOrderSnapshot
from tests.conftest import ZONE, TakeIn, file_of, fill, person, work_off
from tests.world import everything
from trades.models import Account, Instrument, IntegrityIssue, Position, Trade

GOOD = file_of(fill())
PARTIAL = file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill())
FAILED = file_of(fill(Quantity="abc"))
IMPORTS = reverse("admin:imports_importexecutionlog_changelist")
UPLOAD = reverse("admin:imports_importexecutionlog_add")

MODELS = list(admin.site._registry)
SEEN = {
    Batch,
    BatchTrade,
    JobLog,
    Notice,
    OpenOrderSnapshot,
    OpenOrder,
    ImportExecutionLog,
    ImportRowLog,
    ImportedExecution,
    Trade,
    Account,
    Instrument,
    Position,
    IntegrityIssue,
}


@pytest.fixture
def as_adam(client: Client, adam: User) -> Client:
    client.force_login(adam)
    return client


@pytest.fixture
def as_vera(client: Client, vera: User) -> Client:
    client.force_login(vera)
    return client


@pytest.fixture
def as_olga(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture
def world(take_in: TakeIn) -> ImportExecutionLog:
    """One of everything that has a page."""
    return everything(take_in)


def page(model: type[Model], name: str) -> str:
    """The address of a page of a model; pages of one object are those of the first."""
    arguments = [] if name in ("changelist", "add") else [model.objects.order_by("pk").first().pk]
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def told(response: HttpResponse) -> str:
    """The messages for the user."""
    return "\n".join(str(message) for message in get_messages(response.wsgi_request))


def listed(client: Client, query: str = "", url: str = IMPORTS) -> list[str]:
    """What a list shows under these filters."""
    response = client.get(f"{url}?{query}")
    assert response.status_code == 200, query
    return [str(row) for row in response.context["cl"].result_list]


def act(client: Client, action: str, *logs: ImportExecutionLog, confirmed: bool) -> HttpResponse:
    """Choose imports in the list and an action; answer its question if `confirmed`."""
    data = {"action": action, "_selected_action": [log.pk for log in logs]}
    return client.post(IMPORTS, data | ({"confirmed": "yes"} if confirmed else {}))


# --- Every page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("name", ["changelist", "change", "history", "add", "delete"])
def test_every_page_opens_for_adam(
    as_adam: Client, adam: User, world: ImportExecutionLog, model: type[Model], name: str
) -> None:
    request = RequestFactory().get("/")
    request.user = adam
    may = getattr(admin.site._registry[model], f"has_{name}_permission", lambda request: True)
    expected = 200 if may(request) or name == "change" else 403
    assert as_adam.get(page(model, name), follow=True).status_code == expected


@pytest.mark.parametrize("name", ["index", "password_change", "jsi18n"])
def test_the_pages_of_the_site_open(as_vera: Client, name: str) -> None:
    assert as_vera.get(reverse(f"admin:{name}")).status_code == 200


@pytest.mark.parametrize("app", ["imports", "trades", "joblogs"])
def test_the_pages_of_the_rooms_open(as_vera: Client, app: str) -> None:
    assert as_vera.get(reverse("admin:app_list", args=[app])).status_code == 200


def test_the_start_page_is_the_list_of_job_logs(as_vera: Client) -> None:
    assert "No job logs yet" in as_vera.get("/").content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_stranger_is_asked_to_log_in(
    client: Client, adam: User, world: ImportExecutionLog, model: type[Model]
) -> None:
    response = client.get(page(model, "change"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("text", ["0", "999", "x", "9" * 30, "9" * 5000])
def test_an_import_that_does_not_exist_is_no_error(as_adam: Client, text: str) -> None:
    address = reverse("admin:imports_importexecutionlog_change", args=[text])
    assert as_adam.get(address).status_code in (302, 404)


def test_a_page_says_what_the_browser_may_run(as_vera: Client) -> None:
    policy = as_vera.get(IMPORTS)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy


# --- Vera sees, and nothing else


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("name", ["changelist", "change", "history"])
def test_vera_sees_what_is_hers_to_see(
    as_vera: Client, world: ImportExecutionLog, model: type[Model], name: str
) -> None:
    expected = 200 if model in SEEN else 403
    assert as_vera.get(page(model, name), follow=True).status_code == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("name", ["add", "delete", "change"])
def test_vera_changes_nothing(
    as_vera: Client, world: ImportExecutionLog, model: type[Model], name: str
) -> None:
    before = [*model.objects.order_by("pk").values()]
    response = as_vera.post(page(model, name), {"post": "yes", "notes": "x"}, follow=True)
    shown_only = name == "change" and model in (Batch, ImportExecutionLog, JobLog)
    assert response.status_code == (200 if shown_only else 403)
    assert [*model.objects.order_by("pk").values()] == before


@pytest.mark.parametrize("action", ["retry_selected", "roll_back_selected", "delete_selected"])
def test_no_action_is_vera_s(as_vera: Client, world: ImportExecutionLog, action: str) -> None:
    act(as_vera, action, world, confirmed=True)
    world.refresh_from_db()
    assert world.status == Status.PARTIAL
    assert ImportExecutionLog.objects.count() == Trade.objects.count() == 1


def test_vera_cannot_delete_trades_by_an_action(as_vera: Client, world: ImportExecutionLog) -> None:
    data = {"action": "delete_selected", "_selected_action": Trade.objects.get().pk, "post": "yes"}
    as_vera.post(page(Trade, "changelist"), data)
    assert Trade.objects.count() == 1


@pytest.mark.parametrize("words", ["Retry…", "Roll back…", "Import files"])
def test_vera_is_offered_no_buttons(as_vera: Client, world: ImportExecutionLog, words: str) -> None:
    for address in (IMPORTS, world.get_absolute_url()):
        assert f">{words}<" not in as_vera.get(address).content.decode()


def test_olga_retries_but_does_not_roll_back(as_olga: Client, world: ImportExecutionLog) -> None:
    act(as_olga, "roll_back_selected", world, confirmed=True)
    act(as_olga, "retry_selected", world, confirmed=True)
    world.refresh_from_db()
    assert world.status == Status.PARTIAL
    assert ImportExecutionLog.objects.get(retry_of=world).created_by.username == "olga"


def test_adam_is_offered_the_buttons(as_adam: Client, world: ImportExecutionLog) -> None:
    assert ">Import files<" in as_adam.get(IMPORTS).content.decode()
    text = as_adam.get(world.get_absolute_url()).content.decode()
    assert ">Retry…<" in text
    assert ">Roll back…<" in text


# --- The list and its filters


@pytest.fixture
def three(take_in: TakeIn) -> list[ImportExecutionLog]:
    """good.csv of Sim101 from today, bad.csv, and old.csv of Sim1012 from last year."""
    logs = [
        take_in(GOOD, "good.csv"),
        take_in(FAILED, "bad.csv"),
        take_in(file_of(fill(Account="Sim1012")), "old.csv", import_type="sample_data"),
    ]
    past = timezone.now() - timedelta(days=365)
    ImportExecutionLog.objects.filter(pk=logs[2].pk).update(queued_at=past, format="other")
    return logs


def test_the_newest_import_comes_first(as_vera: Client, three: list) -> None:
    assert listed(as_vera) == ["bad.csv", "good.csv", "old.csv"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status__exact=failed", ["bad.csv"]),
        ("status__exact=running", []),
        ("import_type__exact=sample_data", ["old.csv"]),
        ("format=ninjatrader-executions", ["bad.csv", "good.csv"]),
        ("account=Sim101", ["good.csv"]),
        ("account=Sim1012", ["old.csv"]),
        ("account=sim101", []),
        ("q=GOOD", ["good.csv"]),
        ("q=invalid_quantity", ["bad.csv"]),
        ("q=nothing", []),
        ("status__exact=success&account=Sim101&q=good", ["good.csv"]),
    ],
)
def test_a_filter_finds_what_it_says(
    as_vera: Client, three: list, query: str, names: list[str]
) -> None:
    assert listed(as_vera, query) == names


def test_the_batch_id_is_found(as_vera: Client, three: list[ImportExecutionLog]) -> None:
    assert listed(as_vera, f"q={three[1].import_batch_id}") == ["bad.csv"]


def test_both_ends_of_a_range_of_days_count(as_vera: Client, three: list) -> None:
    today = timezone.localdate().isoformat()
    days = f"queued_at_from={today}&queued_at_to={today}"
    assert listed(as_vera, days) == ["bad.csv", "good.csv"]


def test_a_range_of_days_has_an_end(as_vera: Client, three: list) -> None:
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    assert listed(as_vera, f"queued_at_to={yesterday}") == ["old.csv"]


GARBAGE = ["x", "", "9" * 30, "9" * 5000, "-1", "%27%3B--"]
PARAMETERS = {
    JobLog: ["status__exact", "job", "trigger__exact", "created_at_from", "q", "p", "o"],
    ImportExecutionLog: ["format", "account", "queued_at_from", "queued_at_to", "q", "p", "o"],
    ImportRowLog: ["status__exact", "p", "o"],
    ImportedExecution: ["import_timestamp_from", "q", "p"],
    Trade: ["import", "executed_at_from", "executed_at_to", "side__exact", "q", "p"],
}


@pytest.mark.parametrize(
    ("model", "name"), [(model, name) for model, names in PARAMETERS.items() for name in names]
)
def test_garbage_in_a_filter_is_no_error(
    as_vera: Client, world: ImportExecutionLog, model: type[Model], name: str
) -> None:
    address = page(model, "changelist")
    answers = [as_vera.get(f"{address}?{name}={garbage}", follow=True) for garbage in GARBAGE]
    assert {answer.status_code for answer in answers} == {200}


def test_a_nul_in_an_address_is_refused(as_vera: Client) -> None:
    response = as_vera.get(f"{page(ImportExecutionLog, 'changelist')}?status__exact=%00")
    assert response.status_code == 400


def test_names_are_fixed_once_they_are_there(as_adam: Client, world: ImportExecutionLog) -> None:
    account = Account.objects.get(name="Sim101")
    address = reverse("admin:trades_account_change", args=[account.pk])
    as_adam.post(address, {"name": "Other", "broker": "Rithmic", "is_active": "on"})
    account.refresh_from_db()
    assert (account.name, account.broker) == ("Sim101", "Rithmic")


@pytest.mark.parametrize(
    ("before", "sentence"),
    [([], "Every line was taken in."), ([fill()], "Every line was taken in or known already.")],
)
def test_a_success_says_whether_lines_were_known(
    as_vera: Client, take_in: TakeIn, before: list[str], sentence: str
) -> None:
    take_in(file_of(*before))
    log = take_in(file_of(fill(), fill(ID="exec-2")))
    assert sentence in as_vera.get(log.get_absolute_url()).content.decode()


def test_the_trades_of_an_import_are_found(as_vera: Client, take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="other")))
    log = take_in(GOOD)
    assert len(listed(as_vera, f"import={log.pk}", page(Trade, "changelist"))) == 1
    assert listed(as_vera, "import=0", page(Trade, "changelist")) == []


def test_a_list_needs_no_query_for_each_import(
    as_vera: Client, take_in: TakeIn, django_assert_max_num_queries: Callable
) -> None:
    for number in range(12):
        take_in(file_of(fill(ID=f"exec-{number}")))
    with django_assert_max_num_queries(10):
        as_vera.get(IMPORTS)


# --- Upload


def upload(client: Client, *files: tuple[str, str], **fields: str) -> HttpResponse:
    content = [SimpleUploadedFile(name, text.encode()) for name, text in files]
    return client.post(UPLOAD, {"files": content, "timezone": ZONE} | fields)


def test_a_file_is_uploaded_and_its_import_shown(as_olga: Client, olga: User) -> None:
    response = upload(as_olga, ("mine.csv", GOOD))
    log = ImportExecutionLog.objects.get()
    assert response.url == log.get_absolute_url()
    assert (log.status, log.created_by, log.file_name) == (Status.QUEUED, olga, "mine.csv")
    bell = JobLog.objects.get()
    assert (bell.job, bell.subject_id, bell.trigger) == ("import", log.pk, "manual")
    assert bell.asked_by == olga


def test_an_uploaded_file_is_imported_in_the_background(as_olga: Client) -> None:
    upload(as_olga, ("mine.csv", GOOD))
    work_off()
    assert ImportExecutionLog.objects.get().status == Status.SUCCESS


def test_an_import_and_its_jobs_lead_to_each_other(as_adam: Client) -> None:
    upload(as_adam, ("mine.csv", GOOD))
    log, job = ImportExecutionLog.objects.get(), JobLog.objects.get()
    page_of_import = as_adam.get(log.get_absolute_url()).content.decode()
    assert f'href="{job.get_absolute_url()}"' in page_of_import
    assert (
        f'href="{log.get_absolute_url()}"' in as_adam.get(job.get_absolute_url()).content.decode()
    )


def test_who_may_not_cancel_cannot(as_vera: Client, take_in: TakeIn) -> None:
    log = take_in(GOOD)
    ImportExecutionLog.objects.update(status=Status.QUEUED)
    act(as_vera, "cancel_selected", log, confirmed=False)
    log.refresh_from_db()
    assert log.status == Status.QUEUED
    assert "Cancel the import" not in as_vera.get(log.get_absolute_url()).content.decode()


def test_olga_cancels_an_import_from_its_page(as_olga: Client) -> None:
    log_page = upload(as_olga, ("mine.csv", GOOD)).url
    assert "Cancel the import" in as_olga.get(log_page).content.decode()
    log = ImportExecutionLog.objects.get()
    assert act(as_olga, "cancel_selected", log, confirmed=False).url == log_page
    log.refresh_from_db()
    assert log.status == Status.CANCELLED


def test_a_page_is_fresh_while_something_goes_on(as_vera: Client, take_in: TakeIn) -> None:
    log = take_in(PARTIAL)
    assert "data-refresh" not in as_vera.get(log.get_absolute_url()).content.decode()
    ImportExecutionLog.objects.update(status=Status.RUNNING, line_count=11, cursor=3)
    text = as_vera.get(log.get_absolute_url()).content.decode()
    assert "data-refresh" in text
    assert "3 of about 10 lines are done." in text


def test_several_files_are_uploaded_and_the_list_shown(as_olga: Client) -> None:
    response = upload(as_olga, ("one.csv", GOOD), ("two.csv", FAILED), ("three.csv", ""))
    assert response.url == reverse("import-logs")
    work_off()
    found = ImportExecutionLog.objects.order_by("id").values_list("file_name", "status")
    assert [*found] == [("one.csv", "success"), ("two.csv", "failed"), ("three.csv", "failed")]


@pytest.mark.parametrize("content", ["", "undefined", "\0\1\2", "a,b\r\n1,2\r\n"])
def test_a_bad_file_is_a_failed_import_with_a_reason(as_olga: Client, content: str) -> None:
    response = upload(as_olga, ("bad.csv", content))
    work_off()
    log = ImportExecutionLog.objects.get()
    assert log.status == Status.FAILED
    assert escape(log.error_summary) in as_olga.get(response.url).content.decode()


def test_an_upload_says_what_comes_next(as_olga: Client) -> None:
    said = told(upload(as_olga, ("mine.csv", PARTIAL)))
    assert said == "mine.csv has been received and will be imported."


def test_a_file_that_is_too_large_says_so(as_olga: Client, settings: object) -> None:
    settings.TRADELOG_MAX_FILE_MB = 0
    assert "mine.csv is larger than 0 MB" in told(upload(as_olga, ("mine.csv", GOOD)))
    assert ImportExecutionLog.objects.get().status == Status.FAILED


@pytest.mark.parametrize("fields", [{"timezone": "Mars"}, {"format": "x"}, {"account": "x" * 101}])
def test_a_wrong_wish_is_said_and_nothing_imported(as_olga: Client, fields: dict) -> None:
    response = upload(as_olga, ("mine.csv", GOOD), **fields)
    assert list(response.context["form"].errors) == list(fields)
    assert not ImportExecutionLog.objects.exists()


def test_an_upload_needs_a_file(as_olga: Client) -> None:
    assert list(upload(as_olga).context["form"].errors) == ["files"]


def test_the_wishes_are_kept(as_olga: Client) -> None:
    upload(as_olga, ("mine.csv", GOOD), account="Desk 7")
    log = ImportExecutionLog.objects.get()
    assert (log.default_account, log.timezone) == ("Desk 7", ZONE)


# --- The file as received


def file_page(log: ImportExecutionLog) -> str:
    return reverse("import-file", args=[log.pk])


def test_the_file_is_an_attachment(vera: User, take_in: TakeIn) -> None:
    log = take_in(GOOD, 'a "name".csv')
    client = AsyncClient()
    client.force_login(vera)

    async def fetch() -> tuple[HttpResponse, bytes]:
        response = await client.get(file_page(log))
        return response, b"".join([block async for block in response])

    response, content = async_to_sync(fetch)()
    assert content == GOOD.encode()
    assert response["Content-Disposition"] == 'attachment; filename="a \\"name\\".csv"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_is_gone_is_not_found(as_vera: Client, take_in: TakeIn) -> None:
    log = take_in(GOOD)
    log.stored_path.unlink()
    assert as_vera.get(file_page(log)).status_code == 404


@pytest.mark.parametrize("name", ["detail", "file"])
def test_who_may_not_see_imports_sees_no_file(client: Client, take_in: TakeIn, name: str) -> None:
    client.force_login(person("nora"))
    address = reverse(f"import-{name}", args=[take_in(GOOD).pk])
    assert client.get(address).status_code == 403


def test_the_file_of_no_import_is_not_found(as_vera: Client) -> None:
    assert as_vera.get(file_page(ImportExecutionLog(pk=10**30))).status_code == 404


def test_a_stranger_gets_no_file(client: Client, take_in: TakeIn) -> None:
    assert client.get(file_page(take_in(GOOD))).status_code == 302


# --- Row logs


@pytest.fixture
def long(take_in: TakeIn) -> ImportExecutionLog:
    """500 lines, each tenth failed, each after the 400th known."""
    lines = [fill(ID=str(n % 400), Price="x" if n % 10 == 9 else "1") for n in range(500)]
    return take_in(file_of(*lines))


def rows_shown(client: Client, log: ImportExecutionLog, query: str = "") -> list[int]:
    response = client.get(f"{log.get_absolute_url()}?{query}")
    return [row.row_number for row in response.context["row_page"].rows]


def test_an_import_shows_a_page_of_its_lines(as_vera: Client, long: ImportExecutionLog) -> None:
    assert rows_shown(as_vera, long) == [*range(2, 2 + PAGE)]


def test_later_lines_go_on_where_a_page_ends(as_vera: Client, long: ImportExecutionLog) -> None:
    seen, first = [], 0
    while first is not None:
        shown = row_page(long, first=str(first))
        seen += [row.row_number for row in shown.rows]
        first = shown.next
    assert seen == [*range(2, 502)]


def test_earlier_lines_come_back(long: ImportExecutionLog) -> None:
    assert row_page(long, first="402").previous == 352
    assert row_page(long, first="12").previous == 2
    assert row_page(long).previous is None


@pytest.mark.parametrize(("status", "count"), [("failed", 50), ("skipped", 90), ("success", 360)])
def test_lines_are_filtered_by_what_became_of_them(
    long: ImportExecutionLog, status: str, count: int
) -> None:
    shown = row_page(long, status)
    assert {row.status for row in shown.rows} == {status}
    assert (shown.next is None) == (count <= PAGE)
    assert getattr(long, f"{status}_rows") == count


@pytest.mark.parametrize("name", ["from", "rows"])
def test_garbage_counts_as_the_beginning(
    as_vera: Client, world: ImportExecutionLog, name: str
) -> None:
    for garbage in [*GARBAGE, "²"]:
        assert rows_shown(as_vera, world, f"{name}={garbage}") == [2, 3, 4], garbage


def test_the_cells_stand_beside_their_headings(as_vera: Client, world: ImportExecutionLog) -> None:
    row = row_page(world, "failed").rows[0]
    assert ("Quantity", "abc") in row.named_cells
    text = as_vera.get(world.get_absolute_url()).content.decode()
    assert '<dt><bdi>Quantity</bdi></dt><dd dir="auto">abc</dd>' in text


def test_each_line_links_to_its_trade(as_vera: Client, world: ImportExecutionLog) -> None:
    text = as_vera.get(world.get_absolute_url()).content.decode()
    trade = reverse("trade", args=[Trade.objects.get().pk])
    assert text.count(f'href="{trade}"') == 2  # the line that made it and the one repeating it


def test_each_trade_links_to_its_line(as_vera: Client, world: ImportExecutionLog) -> None:
    for name in ("changelist", "change"):
        text = as_vera.get(page(Trade, name)).content.decode()
        assert f"{world.get_absolute_url()}?from=2#rows" in text


@pytest.mark.parametrize("lines", [10, 500])
def test_an_import_needs_as_many_queries_for_any_number_of_lines(
    as_vera: Client, take_in: TakeIn, django_assert_max_num_queries: Callable, lines: int
) -> None:
    content = file_of(*[fill(ID=str(number)) for number in range(lines)])
    take_in(content)
    log = take_in(content)
    with django_assert_max_num_queries(18):
        as_vera.get(log.get_absolute_url())


def test_a_page_of_lines_reads_no_more_than_it_shows(
    long: ImportExecutionLog, django_assert_max_num_queries: Callable
) -> None:
    with django_assert_max_num_queries(3) as queries:
        row_page(long, first="102")
    asked = [query["sql"] for query in queries if 'FROM "import_execution_row' in query["sql"]]
    assert len(asked) == 2
    assert all(f"LIMIT {most}" in sql for most, sql in zip((PAGE + 1, PAGE), asked, strict=True))


@pytest.mark.parametrize("model", [ImportRowLog, ImportedExecution, Trade])
def test_no_list_loads_all_rows_or_asks_for_each(
    as_vera: Client,
    long: ImportExecutionLog,
    django_assert_max_num_queries: Callable,
    model: type[Model],
) -> None:
    with django_assert_max_num_queries(10) as queries:
        assert len(listed(as_vera, url=page(model, "changelist"))) == 50
    for query in queries.captured_queries:
        assert f'FROM "{model._meta.db_table}"' not in query["sql"] or "LIMIT" in query["sql"]
        unbounded = query["sql"].count("COUNT(") - query["sql"].count("LIMIT 100) counted")
        assert unbounded == 0, query["sql"]


# --- What files say is shown, never run

EVIL = "<script>alert('1')</script>\"&\u202e"


def test_what_stands_in_a_file_is_escaped(as_vera: Client, take_in: TakeIn) -> None:
    evil = '"' + EVIL.replace('"', '""') + '"'
    lines = [fill(Account=evil, Instrument=evil), fill(Name=evil, Account=evil), fill(Price=evil)]
    log = take_in(file_of(*lines), f"{EVIL}.csv")
    pages = [log.get_absolute_url(), IMPORTS, page(Trade, "changelist"), page(Trade, "change")]
    for address in [*pages, page(ImportRowLog, "changelist"), page(Account, "changelist")]:
        text = as_vera.get(address).content.decode()
        assert "<script>alert" not in text
        assert "alert(" in text, address


def test_what_stands_in_a_header_is_escaped(as_vera: Client, take_in: TakeIn) -> None:
    log = take_in(GOOD.replace("Rate", "<script>alert(1)</script>"))
    text = as_vera.get(log.get_absolute_url()).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_name_cannot_turn_the_writing_around(take_in: TakeIn) -> None:
    assert take_in(GOOD, "a\u202evsc.exe\r\n\0.csv").file_name == "avsc.exe.csv"


# --- Trades


def test_adam_notes_and_reviews_a_trade(as_adam: Client, world: ImportExecutionLog) -> None:
    as_adam.post(page(Trade, "change"), {"notes": "too early", "reviewed": "on", "price": "1"})
    trade = Trade.objects.get()
    assert (trade.notes, trade.reviewed, trade.price) == ("too early", True, 21350.5)


def test_a_deleted_trade_leaves_its_ledger_row(as_adam: Client, world: ImportExecutionLog) -> None:
    as_adam.post(page(Trade, "delete"), {"post": "yes"})
    assert not Trade.objects.exists()
    assert ImportedExecution.objects.get().execution_id == "exec-1"
    assert as_adam.get(world.get_absolute_url()).status_code == 200


def test_an_account_with_trades_cannot_be_deleted(
    as_adam: Client, world: ImportExecutionLog
) -> None:
    as_adam.post(page(Account, "delete"), {"post": "yes"})
    assert Account.objects.count() == 1


# --- Retry and rollback of several


def test_a_rollback_first_shows_the_sum_of_what_it_does(as_adam: Client, three: list) -> None:
    Trade.objects.update(reviewed=True)
    response = act(as_adam, "roll_back_selected", *three, confirmed=False)
    text = " ".join(response.content.decode().split())
    assert "Rolling back 2 imports deletes 2 trades of Sim101, Sim1012." in text
    assert "0 with notes and 2 reviewed" in text
    assert [log.file_name for log in response.context["unable"]] == ["bad.csv"]
    assert Trade.objects.count() == 2


def test_a_rollback_warns_of_later_imports(as_adam: Client, take_in: TakeIn) -> None:
    log, later = take_in(GOOD), take_in(GOOD, "later.csv")
    response = act(as_adam, "roll_back_selected", log, confirmed=False)
    assert f'href="{later.get_absolute_url()}"' in response.content.decode()


def test_a_confirmed_rollback_is_done(as_adam: Client, adam: User, three: list) -> None:
    response = act(as_adam, "roll_back_selected", *three, confirmed=True)
    assert "good.csv is being rolled back." in told(response)
    assert "bad.csv is failed; only what has taken in trades" in told(response)
    work_off()
    rolled_back = ImportExecutionLog.objects.filter(status=Status.ROLLED_BACK, rolled_back_by=adam)
    assert (rolled_back.count(), Trade.objects.count()) == (2, 0)


def test_the_question_can_be_answered_as_it_stands(as_adam: Client, three: list) -> None:
    asked = act(as_adam, "roll_back_selected", *three, confirmed=False)
    assert asked.content.decode().count('name="_selected_action"') == 2
    assert 'name="confirmed" value="yes"' in asked.content.decode()


def test_a_retry_first_says_what_it_reads(as_adam: Client, three: list) -> None:
    response = act(as_adam, "retry_selected", *three, confirmed=False)
    text = " ".join(response.content.decode().split())
    assert "Retrying 1 import reads the stored files again: 1 failed line gets" in text
    assert ImportExecutionLog.objects.count() == 3


def test_a_confirmed_retry_is_done(as_adam: Client, three: list[ImportExecutionLog]) -> None:
    response = act(as_adam, "retry_selected", *three, confirmed=True)
    assert "good.csv is success; only a failed or partial import can be retried" in told(response)
    assert "bad.csv will be imported again." in told(response)
    work_off()
    assert ImportExecutionLog.objects.get(retry_of=three[1]).status == Status.FAILED


def test_a_retry_without_bytes_says_so_and_stops_no_other(as_adam: Client, take_in: TakeIn) -> None:
    gone, there = take_in(FAILED, "gone.csv"), take_in(PARTIAL, "there.csv")
    gone.stored_path.unlink()
    response = act(as_adam, "retry_selected", gone, there, confirmed=True)
    assert "The bytes of gone.csv are not stored here" in told(response)
    assert ImportExecutionLog.objects.filter(retry_of=there).exists()


@pytest.mark.parametrize("action", ["retry_selected", "roll_back_selected"])
def test_a_choice_of_none_that_can_says_so(as_adam: Client, take_in: TakeIn, action: str) -> None:
    log = take_in(FAILED if action == "roll_back_selected" else GOOD)
    text = act(as_adam, action, log, confirmed=False).content.decode()
    assert "None of the chosen imports can be" in text


# --- Positions


def test_adam_notes_and_tags_a_position_and_changes_nothing_else(
    as_adam: Client, world: ImportExecutionLog
) -> None:
    before = Position.objects.values("fills", "average_entry", "opened_at").get()
    sent = {"notes": "too early", "tags": " morning, fomo,, morning", "fills": "9"}
    as_adam.post(page(Position, "change"), sent)
    one = Position.objects.get()
    assert (one.notes, one.tags) == ("too early", ["fomo", "morning"])
    assert Position.objects.values("fills", "average_entry", "opened_at").get() == before
    assert 'value="fomo, morning"' in as_adam.get(page(Position, "change")).content.decode()
    assert list(Position.objects.with_tag("fomo")) == [one]
    assert not Position.objects.with_tag("fom").exists()


def test_a_tag_that_is_too_long_is_refused(as_adam: Client, world: ImportExecutionLog) -> None:
    as_adam.post(page(Position, "change"), {"notes": "x", "tags": "x" * 51})
    assert Position.objects.get().notes == ""


def test_a_position_shows_its_trades(as_vera: Client, world: ImportExecutionLog) -> None:
    text = as_vera.get(page(Position, "change")).content.decode()
    assert f'href="{page(Trade, "change")}"' in text
    assert "Buy 1 at 21350.5" in text


@pytest.mark.parametrize("way", ["delete", "delete_selected"])
def test_a_deleted_trade_takes_its_position_with_it(
    as_adam: Client,
    world: ImportExecutionLog,
    django_capture_on_commit_callbacks: Callable,
    way: str,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        if way == "delete":
            as_adam.post(page(Trade, "delete"), {"post": "yes"})
        else:
            chosen = {"action": way, "_selected_action": Trade.objects.get().pk, "post": "yes"}
            as_adam.post(page(Trade, "changelist"), chosen)
    assert not Position.objects.exists()


def test_positions_follow_what_adam_says_a_point_is_worth(
    as_adam: Client, take_in: TakeIn, django_capture_on_commit_callbacks: Callable
) -> None:
    take_in(file_of(fill(), fill(ID="b", Action="Sell", Price="21360.50", Time="1/6/2026 6:35 AM")))
    assert Position.objects.get().gross_pnl == 20
    terms = {"root": "MNQ", "kind": "future", "currency": "EUR", "point_value": "0.5"}
    with django_capture_on_commit_callbacks(execute=True):
        as_adam.post(page(Instrument, "change"), terms)
    assert (Position.objects.get().gross_pnl, Position.objects.get().currency) == (5, "EUR")


# --- The sidebar


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/admin/", "Dashboard"),
        ("/", "Job logs"),
        ("/batches/history/", "Batches"),
        ("/admin/batches/batch/", "Batches in bulk"),
        ("/admin/trades/account/", "Accounts"),
    ],
)
def test_the_sidebar_marks_one_entry(as_adam: Client, address: str, title: str) -> None:
    groups = as_adam.get(address).context["sidebar_navigation"]
    items = [item for group in groups for item in group["items"]]
    assert [item["title"] for item in items if item["active"]] == [title]
