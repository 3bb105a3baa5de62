"""The pages of batches: who may do what, states and their buttons, lists, uploads, templates."""

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from batches import control
from batches.answers import INTERRUPTED
from batches.deeds import DEEDS
from batches.live import MOST_SHOWN
from batches.models import Batch, BatchTemplate, BatchTrade
from batches.states import Status, TradeStatus
from batches.tradepages import PAGE
from tests.batching import stage, started, work_off
from tests.conftest import TakeIn, file_of, fill, person
from trades.models import Account, Trade

DASHBOARD, HISTORY = reverse("batches"), reverse("batch-history")
NEW, PREVIEW = reverse("batch-new"), reverse("batch-preview")
TEMPLATES = reverse("batch-templates")
BY_SCRIPT = {"headers": {"HX-Request": "true"}}
HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7|add:7 }}"]
CSV = "Account,Instrument,Side,Quantity,Price\nSim101,MNQ 03-26,Buy,2,21350.25\n"
BAD = "Nobody,MNQ 03-26,Buy,x,21350.25\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client: Client) -> Client:
    """Log in as a member of a group: member.of("viewer")."""

    def of(group: str) -> Client:
        user, _ = User.objects.get_or_create(username=f"a {group}")
        user.groups.set([Group.objects.get(name=group)])
        client.force_login(user)
        return client

    client.of = of
    return client


@pytest.fixture
def operator(member: Client) -> Client:
    return member.of("operator")


def text_of(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status, response.content
    return response.content.decode()


def deed(batch: Batch, name: str) -> str:
    return reverse(f"batch-{name}", args=[batch.pk])


def in_state(name: str) -> Batch:
    """A batch of three good trades and a bad line in a state of this name."""
    if name == "staged":
        return stage(3, bad=1)
    if name == "waiting":
        return started(3, bad=1)
    batch = started(3, bad=0 if name == "success" else 1)
    if name == "running":
        Batch.objects.filter(pk=batch.pk).update(status=Status.RUNNING)
    elif name == "cancelled":
        control.cancel(batch)
    else:
        work_off()
    if name == "archived":
        control.archive(batch)
    batch.refresh_from_db()
    return batch


# --- Who may


PAGES = [
    DASHBOARD,
    HISTORY,
    "/batches/{}/",
    "/batches/progress/?batch={}",
    "/batches/{}/results/csv/",
    TEMPLATES,
]


@pytest.mark.parametrize("address", [*PAGES, NEW, reverse("batch-template-new")])
def test_strangers_are_asked_to_log_in(client: Client, address: str) -> None:
    batch = stage()
    assert client.get(address.format(batch.pk)).url.startswith("/login/")
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(address.format(batch.pk)).status_code == 403


@pytest.mark.parametrize("address", ["/batches/{}/", "/batches/{}/results/csv/"])
def test_trades_are_for_those_who_may_see_them(client: Client, address: str) -> None:
    user = person("theo", "view_batch")
    client.force_login(user)
    assert client.get(DASHBOARD).status_code == 200
    assert client.get(address.format(stage().pk)).status_code == 403


@pytest.mark.parametrize("address", PAGES)
def test_viewers_see_every_page(member: Client, address: str) -> None:
    assert member.of("viewer").get(address.format(stage().pk)).status_code == 200


RIGHTS = {
    "start": {"operator", "admin"},
    "cancel": {"operator", "admin"},
    "retry": {"operator", "admin"},
    "priority": {"operator", "admin"},
    "undo": {"admin"},
    "archive": {"admin"},
    "unarchive": {"admin"},
    "delete": {"admin"},
}


@pytest.mark.parametrize("group", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("name", RIGHTS)
def test_a_deed_is_for_those_who_may(member: Client, group: str, name: str) -> None:
    batch = stage()
    client = member.of(group)
    may = group in RIGHTS[name]
    for response in (client.get(deed(batch, name)), client.post(deed(batch, name))):
        assert (response.status_code != 403) == may
    if not may:
        batch.refresh_from_db()
        assert (batch.status, batch.queued_at) == (Status.PENDING, None)


def test_every_deed_is_tried() -> None:
    assert {one.name for one in DEEDS} == {*RIGHTS}


@pytest.mark.parametrize("group", ["viewer", "operator", "admin"])
def test_new_batches_and_templates_are_for_operators(member: Client, group: str) -> None:
    template = BatchTemplate.objects.create(name="Usual")
    client = member.of(group)
    may = group != "viewer"
    for address in (NEW, reverse("batch-template-new")):
        assert (client.get(address).status_code == 200) == may
        assert (client.post(address).status_code != 403) == may
    assert (client.post(PREVIEW).status_code != 403) == may
    assert (client.get(reverse("batch-template", args=[template.pk])).status_code == 200) == may
    delete = client.get(reverse("batch-template-delete", args=[template.pk]))
    assert (delete.status_code == 200) == (group == "admin")


def test_nothing_is_done_without_a_csrf_token(adam: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(adam)
    batch = stage()
    assert client.post(deed(batch, "start")).status_code == 403
    assert client.post(NEW).status_code == 403


# --- States and buttons


BUTTONS = {
    "staged": {"start", "cancel", "priority", "delete"},
    "waiting": {"cancel", "priority"},
    "running": {"cancel", "priority"},
    "success": {"undo", "archive", "delete"},
    "partial_success": {"retry", "undo", "archive", "delete"},
    "cancelled": {"retry", "archive", "delete"},
    "archived": {"undo", "unarchive", "delete"},
}


@pytest.mark.parametrize("state", BUTTONS)
def test_a_state_has_its_buttons(client: Client, adam: User, state: str) -> None:
    client.force_login(adam)
    batch = in_state(state)
    page = text_of(client.get(batch.get_absolute_url()))
    shown = {one.name for one in DEEDS if f'id="{one.name}"' in page}
    assert shown == BUTTONS[state]


@pytest.mark.parametrize("state", BUTTONS)
def test_a_deed_out_of_its_state_is_a_conflict(client: Client, adam: User, state: str) -> None:
    client.force_login(adam)
    batch = in_state(state)
    for one in DEEDS:
        if one.name not in BUTTONS[state]:
            said = {"sure": "on", "priority": "3"}
            for response in (
                client.get(deed(batch, one.name)),
                client.post(deed(batch, one.name), said),
            ):
                assert response.status_code == 409, one.name
                assert 'role="alert"' in response.content.decode()


def test_an_operator_has_only_what_operators_may(operator: Client) -> None:
    page = text_of(operator.get(in_state("partial_success").get_absolute_url()))
    shown = {one.name for one in DEEDS if f'id="{one.name}"' in page}
    assert shown == {"retry"}


def test_a_batch_is_started_cancelled_and_retried(operator: Client) -> None:
    batch = stage(3)
    assert operator.post(deed(batch, "start")).url == batch.get_absolute_url()
    assert "Waiting for a worker" in text_of(operator.get(batch.get_absolute_url()))
    operator.post(deed(batch, "cancel"))
    assert "3 cancelled" in text_of(operator.get(batch.get_absolute_url()))
    operator.post(deed(batch, "retry"))
    work_off()
    batch.refresh_from_db()
    assert (batch.status, batch.rounds) == (Status.SUCCESS, 2)


def test_the_priority_is_a_number_from_1_to_10(operator: Client) -> None:
    batch = stage()
    assert 'value="5"' in text_of(operator.get(deed(batch, "priority")))
    for odd in ("11", "0", "-1", "2.5", "x", "", "9" * 40, "\0"):
        assert "errorlist" in text_of(operator.post(deed(batch, "priority"), {"priority": odd})), (
            odd
        )
    operator.post(deed(batch, "priority"), {"priority": "2"})
    batch.refresh_from_db()
    assert batch.priority == 2
    control.cancel(batch)
    refused = text_of(operator.post(deed(batch, "priority"), {"priority": "3"}), 409)
    assert "only one that waits or runs has a priority to change" in refused


def test_what_cannot_be_taken_back_wants_a_word(client: Client, adam: User) -> None:
    client.force_login(adam)
    batch = in_state("success")
    text_of(client.post(deed(batch, "delete")))
    assert Batch.objects.exists()
    assert client.post(deed(batch, "delete"), {"sure": "on"}).url == DASHBOARD
    assert not Batch.objects.exists()
    assert Trade.objects.count() == 3


@pytest.mark.parametrize(
    "words",
    [
        "Interrupted: verify at the broker whether it was executed.",
        "The broker hung up; verify at the broker what became of it.",
        "It was executed, but cannot be booked: its time has no zone. Verify it at the broker.",
        "It was executed, but the database refused to book it: value out of range",
    ],
)
def test_a_retry_warns_of_what_may_have_been_executed(operator: Client, words: str) -> None:
    batch = in_state("partial_success")
    BatchTrade.objects.filter(status=TradeStatus.FAILED).update(
        error_message="Interrupted 3 times before a trade was executed."
    )
    assert "twice" not in text_of(operator.get(deed(batch, "retry")))
    BatchTrade.objects.filter(status=TradeStatus.FAILED).update(error_message=words)
    assert "may execute it twice" in text_of(operator.get(deed(batch, "retry")))


def test_a_rollback_tells_what_is_lost(client: Client, adam: User) -> None:
    client.force_login(adam)
    batch = in_state("success")
    Trade.objects.filter(batch_trade__sequence=1).delete()  # by a user
    page = text_of(client.get(deed(batch, "undo")))
    assert "deletes 2 trades of the batch" in page
    assert "notes" not in page.partition("modal-title")[2].partition("</form>")[0]
    Trade.objects.filter(batch_trade__sequence=2).update(notes="why", reviewed=True)
    assert "1 with notes and 1 reviewed" in text_of(client.get(deed(batch, "undo")))


def test_a_script_gets_the_question_alone(operator: Client) -> None:
    part = text_of(operator.get(deed(stage(), "cancel"), **BY_SCRIPT))
    assert "<html" not in part
    assert 'id="modal-title"' in part


# --- What goes on


def test_the_dashboard_shows_each_where_it_belongs(member: Client) -> None:
    for state in ("success", "archived", "staged", "waiting"):
        Batch.objects.filter(pk=in_state(state).pk).update(name=f"The {state} one")
    page = text_of(member.of("viewer").get(DASHBOARD))
    parts = re.split('aria-labelledby="(active|staged|recent)-title"', page)
    shown = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert {name: re.findall("The (\\w+) one</bdi>", part) for name, part in shown.items()} == {
        "active": ["waiting"],
        "staged": ["staged"],
        "recent": ["success"],
    }
    assert "every 15s" in page
    assert "New batch" not in page


def test_nothing_renews_itself_when_nothing_is_active(operator: Client) -> None:
    batch = in_state("success")
    assert "every 15s" not in text_of(operator.get(DASHBOARD))
    page = text_of(operator.get(batch.get_absolute_url()))
    assert "data-active" not in page
    assert 'http-equiv="refresh"' not in page
    assert 'http-equiv="refresh"' in text_of(operator.get(started().get_absolute_url()))


def test_progress_is_asked_for_many_in_one_question(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    numbers = [started(2).pk for _ in range(5)]
    with django_assert_max_num_queries(5):  # three of them for the session and the rights
        found = operator.get(reverse("batch-progress"), {"batch": [*numbers, "x", 10**17]}).json()
    assert [one["total_trades"] for one in found["batches"]] == [2] * 5
    assert found["batches"][0]["is_active"]
    assert operator.get(reverse("batch-progress")).json() == {"batches": []}
    many = {"batch": [*range(10**6, 10**6 + MOST_SHOWN), numbers[0]]}
    assert operator.get(reverse("batch-progress"), many).json() == {"batches": []}


# --- The history


def test_the_history_is_filtered_sorted_and_paged(operator: Client) -> None:
    Batch.objects.bulk_create(
        Batch(
            name=f"B{number}",
            executor="paper",
            total_trades=number,
            created_at=timezone.now() - timedelta(minutes=number),
        )
        for number in range(30)
    )

    def names(**query: object) -> list[str]:
        return re.findall(r"<bdi>(B\d+)</bdi>", text_of(operator.get(HISTORY, query)))

    assert names()[:2] == ["B0", "B1"]
    assert len(names()) == 25
    assert len(names(page=2)) == 5
    assert names(sort_by="size", sort_order="desc", per_page=10)[0] == "B29"
    assert names(search="B17") == ["B17"]
    assert names(status="failed") == []
    assert "These filters cannot be used" in text_of(operator.get(HISTORY, {"sort_by": "owner"}))
    part = text_of(operator.get(HISTORY, **BY_SCRIPT))
    assert "<html" not in part
    assert 'id="batches"' in part


def test_few_questions_whatever_the_number(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch = stage(60, bad=5)
    with django_assert_max_num_queries(18):
        operator.get(HISTORY)
    with django_assert_max_num_queries(18):
        operator.get(batch.get_absolute_url())


# --- One batch


def sequences(client: Client, batch: Batch, **query: object) -> list[int]:
    page = text_of(client.get(batch.get_absolute_url(), query))
    return [int(number) for number in re.findall(r'id="trade-(\d+)"', page)]


def test_trades_are_paged_by_key(operator: Client) -> None:
    batch = stage(PAGE + 20)
    assert sequences(operator, batch) == [*range(1, PAGE + 1)]
    assert sequences(operator, batch, **{"from": PAGE + 1}) == [*range(PAGE + 1, PAGE + 21)]
    page = text_of(operator.get(batch.get_absolute_url(), {"from": PAGE + 1}))
    assert 'rel="prev" href="?from=1#trades"' in page
    assert 'rel="next"' not in page


def test_trades_are_filtered(operator: Client) -> None:
    batch = stage(3, bad=2)
    assert sequences(operator, batch, status="failed") == [4, 5]
    assert sequences(operator, batch, search="bad line") == [4, 5]
    assert sequences(operator, batch, account="sim101") == [1, 2, 3]
    assert "No such trades" in text_of(operator.get(batch.get_absolute_url(), {"account": "x"}))
    wrong = text_of(operator.get(batch.get_absolute_url(), {"status": "done"}))
    assert "These filters cannot be used" in wrong


def test_what_is_being_executed_is_among_the_pending(operator: Client) -> None:
    batch = started(3, bad=1)
    BatchTrade.objects.filter(sequence=1).update(status=TradeStatus.EXECUTING)
    page = text_of(operator.get(batch.get_absolute_url(), {"account": "Sim101"}))
    (query,) = re.findall(r'id="only-pending" href="[^?"]*\?([^#"]*)', page)
    assert sequences(operator, batch, **parse_qs(html.unescape(query))) == [1, 2, 3]
    assert "account=Sim101" in query


def test_the_page_tells_at_what_price_a_trade_was_executed(operator: Client) -> None:
    batch = in_state("success")
    Trade.objects.filter(batch_trade__sequence=2).update(price=Decimal("21351.75"))
    page = text_of(operator.get(batch.get_absolute_url()))
    assert page.count(">21351.75<") == 1
    assert page.count(">21350.25<") == 5


def test_the_page_tells_errors_and_what_happened(operator: Client) -> None:
    batch = in_state("partial_success")
    page = text_of(operator.get(batch.get_absolute_url()))
    assert "It is a bad line." in page
    for words in ("Staged", "Started", "Taken up by a worker", "Ended: partial success"):
        assert words in page
    assert f'href="{batch.get_absolute_url()}?status=failed&amp;from=4#trades"' in page


def test_a_script_gets_the_parts_that_change(operator: Client) -> None:
    part = text_of(operator.get(stage().get_absolute_url(), **BY_SCRIPT))
    assert "<html" not in part
    assert part.count('hx-swap-oob="true"') == 3


@pytest.mark.parametrize(("form", "begins"), [("csv", "\ufeffsequence,"), ("json", '{"batch"')])
def test_results_are_downloaded(operator: Client, form: str, begins: str) -> None:
    address = reverse("batch-results", args=[in_state("success").pk, form])
    text = b"".join(operator.get(address)).decode()
    assert text.startswith(begins)
    assert text.count("executed") >= 3


def test_no_other_form_is_downloaded(operator: Client) -> None:
    assert operator.get(reverse("batch-results", args=[stage().pk, "xml"])).status_code == 404


@pytest.mark.parametrize("text", HOSTILE)
def test_what_users_write_is_text(operator: Client, text: str) -> None:
    batch = stage(1, bad=1, name=text, executor="journal")
    batch.batch_trades.update(error_message=text, trade_name=text)
    BatchTemplate.objects.create(name=text)
    for address in (DASHBOARD, HISTORY, batch.get_absolute_url(), deed(batch, "cancel"), TEMPLATES):
        page = text_of(operator.get(address))
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_an_executor_that_is_gone_breaks_no_page(client: Client, adam: User) -> None:
    client.force_login(adam)
    batch = in_state("success")
    Batch.objects.update(executor="gone")
    page = text_of(client.get(batch.get_absolute_url()))
    assert "which is not known here" in page
    assert 'id="undo"' not in page


# --- A batch of a file


def upload(client: Client, text: str, address: str = NEW, **said: str) -> HttpResponse:
    file = SimpleUploadedFile("monday.csv", text.encode())
    usual = {"executor": "journal", "priority": "5", "parallel": "1", "file": file}
    return client.post(address, usual | said)


@pytest.fixture
def sim101(db: None) -> Account:
    return Account.objects.create(name="Sim101")


def test_a_file_of_json(operator: Client, sim101: Account) -> None:
    good = {"account": "Sim101", "instrument": "AAPL", "side": "buy", "quantity": 1, "price": 9.5}
    said = {"executor": "journal", "priority": "5", "parallel": "1", "mapped": "monday.json"}
    text = json.dumps([good | {"Size": 3, "notes": "a"}, good | {"side": "up"}])

    def sent(address: str, text: str = text, **more: str) -> HttpResponse:
        file = SimpleUploadedFile("monday.json", text.encode())
        return operator.post(address, said | {"file": file} | more)

    page = text_of(sent(PREVIEW))
    assert "2 lines: 1 can be executed, 1 cannot" in page
    assert "<option selected>quantity</option>" in page
    assert "monday.json is no JSON" in text_of(sent(NEW, "{"), 400)
    assert sent(NEW, **{"column.quantity": "Size", "column.notes": ""}).status_code == 302
    batch = Batch.objects.get()
    first = batch.batch_trades.get(sequence=1)
    assert (batch.name, batch.failed_trades, batch.total_trades) == ("monday", 1, 2)
    assert (first.quantity, first.price, first.notes) == (3, Decimal("9.5"), "")


def test_a_preview_makes_nothing(operator: Client, sim101: Account) -> None:
    page = text_of(upload(operator, CSV + BAD, PREVIEW))
    assert "2 lines: 1 can be executed, 1 cannot" in page
    assert "&#x27;x&#x27; is not a number" in page
    assert "<option selected>Instrument</option>" in page
    assert not Batch.objects.exists()


def test_a_file_becomes_a_batch(operator: Client, sim101: Account) -> None:
    response = upload(operator, CSV + BAD, priority="3", parallel="4")
    batch = Batch.objects.get()
    assert response.url == batch.get_absolute_url()
    assert (batch.name, batch.total_trades, batch.failed_trades) == ("monday", 2, 1)
    assert (batch.priority, batch.parallel, batch.queued_at) == (3, 4, None)
    assert batch.created_by.username == "a operator"


def test_it_is_started_at_once_by_those_who_may(operator: Client, sim101: Account) -> None:
    upload(operator, CSV, start="on")
    assert Batch.objects.get().waits_for_worker
    user = User.objects.get(username="a operator")
    user.groups.clear()
    user.user_permissions.add(
        *Group.objects.get(name="operator").permissions.exclude(codename="start_batch")
    )
    upload(operator, CSV, start="on", name="Second")
    assert Batch.objects.get(name="Second").queued_at is None


def test_columns_can_be_chosen(operator: Client, sim101: Account) -> None:
    odd = CSV.replace("Account", "Konto")
    refused = text_of(upload(operator, odd, PREVIEW), 400)
    assert "no column for Account" in refused
    assert "<option>Konto</option>" in refused
    assert "<option selected>Instrument</option>" in refused
    chosen = {"mapped": "monday.csv", "column.account": "Konto", "default.price": "1.5"}
    assert "1 line: 1 can be executed" in text_of(upload(operator, odd, PREVIEW, **chosen))
    upload(operator, odd.replace("21350.25", ""), **chosen)
    trade = BatchTrade.objects.get()
    assert (trade.account, f"{trade.price:f}"[:3], trade.status) == (sim101, "1.5", "pending")


def test_columns_of_another_file_are_forgotten(operator: Client, sim101: Account) -> None:
    chosen = {"mapped": "other.csv", "column.account": "Konto"}
    assert "1 line: 1 can be executed" in text_of(upload(operator, CSV, PREVIEW, **chosen))


@pytest.mark.parametrize("text", ["", "\n\n", "a;b\n1;2\n", "\x00\x01", CSV.partition("\n")[0]])
def test_what_is_no_batch_is_said(operator: Client, text: str) -> None:
    for address in (PREVIEW, NEW):
        assert 'role="alert"' in text_of(upload(operator, text, address), 400)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"executor": "nobody"},
        {"priority": "0"},
        {"parallel": "x"},
        {"zone": "Mars"},
        {"executor": "paper", "paper.reject_percent": "101"},
    ],
    ids=str,
)
def test_what_is_set_wrongly_is_said(operator: Client, said: dict[str, str]) -> None:
    assert "errorlist" in text_of(upload(operator, CSV, **said), 400)
    assert not Batch.objects.exists()


def test_the_settings_of_the_chosen_executor_count(operator: Client, sim101: Account) -> None:
    settings = {"paper.seed": "7", "paper.delay_ms": ""}
    upload(operator, CSV, executor="paper", **settings)
    batch = Batch.objects.get()
    assert (batch.executor, batch.executor_settings["seed"]) == ("paper", 7)
    upload(operator, CSV, executor="journal", name="J", **{"paper.seed": "x"})
    assert "seed" not in Batch.objects.get(name="J").executor_settings


def test_a_script_is_led_to_the_new_batch(operator: Client, sim101: Account) -> None:
    file = SimpleUploadedFile("monday.csv", CSV.encode())
    said = {"executor": "journal", "priority": "5", "parallel": "1", "file": file}
    response = operator.post(NEW, said, **BY_SCRIPT)
    assert response.headers["HX-Redirect"] == Batch.objects.get().get_absolute_url()
    part = text_of(operator.post(NEW, {}, **BY_SCRIPT))
    assert "<html" not in part
    assert "CSV file or JSON: This field is required." in part


# --- Templates


def test_what_was_set_is_kept_as_a_template_and_used(operator: Client, sim101: Account) -> None:
    chosen = {"mapped": "monday.csv", "column.account": "Konto", "default.side": "buy"}
    odd = CSV.replace("Account", "Konto")
    upload(operator, odd, save_as="Odd files", priority="2", **chosen)
    template = BatchTemplate.objects.get()
    assert (template.name, template.priority) == ("Odd files", 2)
    assert (template.columns, template.defaults) == ({"account": "Konto"}, {"side": "buy"})
    page = text_of(operator.get(NEW, {"template": template.pk}))
    assert re.search('name="priority" value="2"', page)
    upload(operator, odd, template=str(template.pk), name="Again")
    assert Batch.objects.get(name="Again").template == template
    taken = text_of(upload(operator, odd, save_as="Odd files"), 400)
    assert "There is a template of this name already." in taken


def test_a_template_is_made_changed_and_deleted(client: Client, adam: User) -> None:
    client.force_login(adam)
    said = {"name": "Usual", "executor": "paper", "priority": "4", "parallel": "2"}
    said |= {"paper.seed": "9", "column.account": "Konto", "default.quantity": "1"}
    assert client.post(reverse("batch-template-new"), said).url == TEMPLATES
    template = BatchTemplate.objects.get()
    assert template.executor_settings["seed"] == 9
    page = text_of(client.get(reverse("batch-template", args=[template.pk])))
    assert 'value="Konto"' in page
    client.post(reverse("batch-template", args=[template.pk]), said | {"column.account": ""})
    template.refresh_from_db()
    assert (template.columns, template.defaults) == ({}, {"quantity": "1"})
    assert "already" in text_of(client.post(reverse("batch-template-new"), said), 400)
    delete = reverse("batch-template-delete", args=[template.pk])
    text_of(client.post(delete))
    assert client.post(delete, {"sure": "on"}).url == TEMPLATES
    assert not BatchTemplate.objects.exists()


def test_no_such_template(operator: Client) -> None:
    for asked in ("999", "x", "9" * 40):
        assert operator.get(NEW, {"template": asked}).status_code == 404


# --- The admin


BATCHES = reverse("admin:batches_batch_changelist")
TRADES = reverse("admin:trades_trade_changelist")


def act(client: Client, action: str, *batches: Batch) -> None:
    data = {"action": action, "_selected_action": [batch.pk for batch in batches]}
    assert client.post(BATCHES, data | {"confirmed": "yes"}).status_code == 302


@pytest.fixture
def as_adam(client: Client, adam: User) -> Client:
    client.force_login(adam)
    return client


def test_several_are_cancelled_retried_and_archived(as_adam: Client) -> None:
    one, other = started(2), started(2)
    act(as_adam, "cancel_selected", one, other)
    assert {*Batch.objects.values_list("status", flat=True)} == {"cancelled"}
    act(as_adam, "archive_selected", one)
    act(as_adam, "retry_selected", one, other)  # the archived one is left alone, and told
    assert [*Batch.objects.order_by("pk").values_list("status", flat=True)] == [
        "cancelled",
        "pending",
    ]


def test_several_are_asked_about_first(as_adam: Client) -> None:
    running, ended = started(2, name="One"), started(3, bad=1, name="Two")
    Batch.objects.filter(pk=running.pk).update(status=Status.RUNNING)
    control.cancel(ended)
    chosen = {"_selected_action": [running.pk, ended.pk]}
    filtered = f"{BATCHES}?archived=no"
    page = text_of(as_adam.post(filtered, chosen | {"action": "cancel_selected"}))
    assert f'href="{filtered}">Leave it as it is' in page
    assert "2 trades that wait will be cancelled" in page
    assert "<bdi>Two</bdi> (cancelled)" in page
    assert page.count('name="_selected_action"') == 1
    BatchTrade.objects.filter(errors__contains="price").update(error_message=INTERRUPTED)
    assert "Bad lines are read again" in text_of(as_adam.get(deed(ended, "retry")))
    page = text_of(as_adam.post(BATCHES, chosen | {"action": "retry_selected"}))
    assert "4 trades of 1 batch are tried again" in page
    assert "Of 1 nobody knows whether it was executed" in page
    assert {*Batch.objects.values_list("status", flat=True)} == {"running", "cancelled"}
    page = text_of(
        as_adam.post(BATCHES, {"action": "retry_selected", "_selected_action": running.pk})
    )
    assert "None of the chosen batches can be retried" in page


def test_actions_are_for_those_who_may(client: Client, vera: User) -> None:
    client.force_login(vera)
    batch = started(2)
    assert "cancel_selected" not in text_of(client.get(BATCHES))
    client.post(BATCHES, {"action": "cancel_selected", "_selected_action": [batch.pk]})
    batch.refresh_from_db()
    assert batch.status == Status.PENDING


@pytest.mark.parametrize(
    "query", ["archived=yes", "archived=no", "executor=journal", "status__exact=pending", "q=Mon"]
)
def test_the_admin_filters(as_adam: Client, query: str) -> None:
    stage(1)
    found = as_adam.get(f"{BATCHES}?{query}").context["cl"].result_count
    assert found == (0 if query == "archived=yes" else 1)


def test_a_batch_is_made_of_chosen_trades(as_adam: Client, take_in: TakeIn) -> None:
    take_in(file_of(fill(), fill(ID="exec-2"), fill(ID="exec-3")))
    Account.objects.create(name="Paper-1")
    chosen = [*Trade.objects.values_list("pk", flat=True)[:2]]
    asked = {"action": "make_batch", "_selected_action": chosen, "select_across": "0"}
    page = text_of(as_adam.post(TRADES, asked))
    assert "what 2 chosen trades did" in page
    assert not Batch.objects.exists()
    said = {"confirmed": "yes", "name": "Again", "executor": "paper", "priority": "5"}
    said |= {"parallel": "1", "account": "Paper-1"}
    assert "errorlist" in text_of(as_adam.post(TRADES, asked | said | {"name": ""}))
    response = as_adam.post(TRADES, asked | said)
    batch = Batch.objects.get()
    assert response.url == batch.get_absolute_url()
    assert {trade.account.name for trade in batch.batch_trades.all()} == {"Paper-1"}
    assert (batch.total_trades, batch.failed_trades, Trade.objects.count()) == (2, 0, 3)


def test_no_batch_of_trades_for_those_who_may_not(
    client: Client, vera: User, take_in: TakeIn
) -> None:
    take_in(file_of(fill()))
    client.force_login(vera)
    assert "make_batch" not in text_of(client.get(TRADES))
