"""The page of the open orders: its doors, its badge, filters, sorting, paging, detail, download."""

import csv
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from joblogs.models import JobLog
from orders.filters import SORTS, OrderFilters
from orders.freshness import State, freshness
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.states import Status
from orders.syncing import sync
from sources.reading import SourceError
from tests import desk
from tests.apis import basic
from tests.desk import order, orders

LIST = reverse("open-orders")
BY_SCRIPT = {"headers": {"HX-Request": "true"}}
HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7|add:7 }}"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> None:
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)


def as_member(client: Client, group: str) -> Client:
    user = User.objects.create_user(f"a {group}", password="a long enough password")
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    return as_member(client, "viewer")


def shown(*found: dict[str, str]) -> None:
    desk.shows(*found)
    sync()


def text_of(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status, response.content
    return response.content.decode()


def listed(client: Client, **query: object) -> list[str]:
    """The orders that the list shows, in its order."""
    return re.findall(r"<bdi>(O-\d+)</bdi></a>", text_of(client.get(LIST, query)))


# --- Doors


@pytest.mark.parametrize("name", ["open-orders", "open-orders-export"])
def test_strangers_are_asked_to_log_in(client: Client, name: str) -> None:
    assert client.get(reverse(name)).url.startswith("/login/")


def test_who_has_no_right_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(LIST).status_code == 403
    assert client.get(reverse("open-order", args=["x"])).status_code == 403


def test_only_operators_sync(client: Client) -> None:
    sync_now = reverse("open-orders-sync")
    assert as_member(client, "viewer").post(sync_now).status_code == 403
    assert "Sync now" not in text_of(client.get(LIST))
    assert "Sync now" in text_of(as_member(client, "operator").get(LIST))
    assert client.post(sync_now).url == LIST
    assert client.get(sync_now).status_code == 405
    log = JobLog.objects.get()
    assert (log.job, log.trigger, log.status) == ("sync_open_orders", "manual", "new")
    assert log.asked_by.username in text_of(client.get(log.get_absolute_url()))
    assert "A sync waits for a worker." in text_of(client.get(LIST))


@pytest.mark.parametrize("name", ["open-orders", "open-orders-export"])
def test_a_password_in_the_request_is_a_login(client: Client, vera: User, name: str) -> None:
    response = client.get(reverse(name), headers={"Authorization": basic(vera)})
    assert response.status_code == 200
    assert not response.cookies.get("sessionid")


def test_a_program_syncs_by_password(olga: User) -> None:
    by_password = Client(enforce_csrf_checks=True, headers={"Authorization": basic(olga)})
    assert by_password.post(reverse("open-orders-sync")).status_code == 403
    by_password.get(LIST)
    token = {"X-CSRFToken": by_password.cookies["csrftoken"].value}
    assert by_password.post(reverse("open-orders-sync"), headers=token).url == LIST
    assert JobLog.objects.get().asked_by == olga


# --- The badge


def aged(minutes: float) -> None:
    """As if the sync of the current orders had been so long ago."""
    then = timezone.now() - timedelta(minutes=minutes)
    OpenOrderSnapshot.objects.filter(status=Status.COMPLETE).update(taken_at=then)


@pytest.mark.parametrize(
    ("minutes", "state", "colour"),
    [
        (0, State.SYNCED, "green"),
        (9.9, State.SYNCED, "green"),
        (10, State.STALE, "orange"),
        (29.9, State.STALE, "orange"),
        (30, State.OUTDATED, "red"),
        (9_999, State.OUTDATED, "red"),
    ],
)
def test_the_badge_tells_the_age(viewer: Client, minutes: float, state: State, colour: str) -> None:
    shown(*orders(2))
    aged(minutes)
    page = text_of(viewer.get(LIST))
    assert freshness().state == state
    badge = re.search(r'<section id="sync".*?</section>', page, re.DOTALL)[0]
    assert f"bg-{colour}-100" in badge
    assert state.label in badge


def test_an_error_makes_it_red_and_says_why(viewer: Client) -> None:
    shown(*orders(2))
    desk.shows(*orders(2), columns=["Qty" if one == "quantity" else one for one in desk.COLUMNS])
    with pytest.raises(SourceError):
        sync()
    page = text_of(viewer.get(LIST))
    assert freshness().state == State.FAILED
    assert "there is no column &#x27;quantity&#x27;" in page
    assert listed(viewer) == ["O-2", "O-1"] or len(listed(viewer)) == 2


def test_the_next_good_sync_makes_it_green_again() -> None:
    desk.ask("/nowhere.csv")
    with pytest.raises(SourceError):
        sync()
    assert freshness().state == State.FAILED
    shown(*orders(1))
    assert freshness().state == State.SYNCED


def test_an_empty_source_makes_it_yellow_and_says_so(viewer: Client) -> None:
    shown(*orders(2))
    shown()
    assert freshness().state == State.STALE
    assert "those before are kept" in text_of(viewer.get(LIST))


def test_before_the_first_sync_it_is_red(viewer: Client) -> None:
    page = text_of(viewer.get(LIST))
    assert "Never synced" in page
    assert "No open orders were seen yet." in page


def test_a_snapshot_that_loads_is_seen_by_nobody(viewer: Client) -> None:
    shown(*orders(2))
    loading = OpenOrderSnapshot.objects.create(lease_until=timezone.now() + timedelta(minutes=1))
    OpenOrder.objects.create(snapshot=loading, number=1, key="k", content="c", order_id="O-99")
    assert sorted(listed(viewer)) == ["O-1", "O-2"]
    assert freshness().state == State.SYNCED
    assert freshness().is_running
    assert "A sync is under way." in text_of(viewer.get(LIST))


def test_a_sync_whose_process_died_is_not_under_way(viewer: Client) -> None:
    shown(*orders(2))
    OpenOrderSnapshot.objects.create(lease_until=timezone.now() - timedelta(seconds=1))
    assert "under way" not in text_of(viewer.get(LIST))
    assert not freshness().is_running


# --- The list


def test_what_is_empty_shows_as_a_dash(viewer: Client) -> None:
    shown(order(stop_price="", state=""))
    page = text_of(viewer.get(LIST))
    assert page.count("<bdi>—</bdi>") == 2


def test_a_moment_is_short_in_the_list_and_whole_on_the_page(viewer: Client) -> None:
    shown(order(updated_at="2026-01-05 14:40:00"))
    page = text_of(viewer.get(LIST))
    assert 'title="2026-01-05 14:40:00">01-05 14:40:00</time>' in page
    assert "2026-01-05 14:40:00" in text_of(viewer.get(OpenOrder.objects.get().get_absolute_url()))


def test_numbers_are_shown_as_they_are(viewer: Client) -> None:
    shown(order(limit_price="21350.2500", quantity="0.00000001"))
    page = text_of(viewer.get(LIST))
    assert "<bdi>21350.25</bdi>" in page
    assert "<bdi>0.00000001</bdi>" in page


@pytest.mark.parametrize("cell", HOSTILE)
def test_what_a_source_says_is_text(viewer: Client, cell: str) -> None:
    shown(order(order_id=cell, instrument=cell, state=cell, limit_price=cell))
    one = OpenOrder.objects.get()
    for address in (LIST, one.get_absolute_url()):
        page = text_of(viewer.get(address))
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<bdi>14</bdi>" not in page


def test_fifty_to_a_page(viewer: Client) -> None:
    shown(*orders(120))
    assert [len(listed(viewer, page=number)) for number in (1, 2, 3)] == [50, 50, 20]
    assert len(listed(viewer, per_page=100)) == 100
    assert len(listed(viewer, per_page=100_000)) == 50
    assert len(listed(viewer, page="x")) == 50


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "o-2"}, {"O-2"}),
        ({"search": "live"}, {"O-3"}),
        ({"search": "MES"}, {"O-2"}),
        ({"state": "filled"}, {"O-3"}),
        ({"side": "SELL"}, {"O-2"}),
        ({"type": "Stop"}, {"O-1"}),
        ({"account": "Live-7"}, {"O-3"}),
        ({"account": "Live"}, set()),
        ({"instrument": "MES 03-26"}, {"O-2"}),
        ({"start_date": "2026-01-06"}, {"O-3"}),
        ({"end_date": "2026-01-05"}, {"O-1", "O-2"}),
        ({"problems": "yes"}, {"O-3"}),
        ({"problems": "no"}, {"O-1", "O-2"}),
        ({"side": "sell", "search": "O-1"}, set()),
    ],
)
def test_a_filter_finds_what_it_says(viewer: Client, query: dict, found: set[str]) -> None:
    shown(
        order(order_id="O-1", type="Stop"),
        order(order_id="O-2", side="Sell", instrument="MES 03-26"),
        order(
            order_id="O-3",
            account="Live-7",
            state="Filled",
            updated_at="2026-01-06 00:00:00",
            stop_price="?",
        ),
    )
    assert {*listed(viewer, **query)} == found


def test_no_filter_is_untested() -> None:
    tried = {"search", "state", "side", "type", "account", "instrument", "start_date", "end_date"}
    assert {*OrderFilters.base_filters} == tried | {"problems", "sort_by", "sort_order"}


@pytest.mark.parametrize("column", SORTS)
def test_every_column_sorts_and_what_is_empty_comes_last(viewer: Client, column: str) -> None:
    # As texts they would stand in another order than as numbers.
    values = {"quantity": ["9", "10"], "submitted_at": ["2026-01-05", "2026-01-06"]}
    low, high = values.get(column, ["1", "2"])
    if column.endswith("_at"):
        low, high = "2026-01-05 00:00:00", "2026-01-06 00:00:00"
    name = "state" if column == "order_id" else column
    shown(
        order(order_id="O-2") | {name: high},
        order(order_id="O-3") | {name: ""},
        order(order_id="O-1") | {name: low},
    )
    up = listed(viewer, sort_by=column, sort_order="asc")
    down = listed(viewer, sort_by=column, sort_order="desc")
    if column == "order_id":
        assert (up, down) == (["O-1", "O-2", "O-3"], ["O-3", "O-2", "O-1"])
    else:
        assert (up[-1], down[-1]) == ("O-3", "O-3")
        assert (up[:2], down[:2]) == (["O-1", "O-2"], ["O-2", "O-1"])


def test_any_other_column_is_refused(viewer: Client) -> None:
    shown(*orders(1))
    page = text_of(viewer.get(LIST, {"sort_by": "snapshot__owner"}))
    assert "These filters cannot be used" in page


def test_a_script_gets_the_list_and_the_badge_alone(viewer: Client) -> None:
    shown(*orders(1))
    part = text_of(viewer.get(LIST, **BY_SCRIPT))
    assert "<html" not in part
    assert 'id="orders"' in part
    assert 'hx-swap-oob="true"' in part


def test_few_questions_whatever_the_number(
    viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    shown(*orders(100))
    with django_assert_max_num_queries(18):
        viewer.get(LIST, {"per_page": 100})


# --- One order


def test_the_page_of_an_order_survives_the_next_sync(viewer: Client) -> None:
    shown(*orders(2))
    address = OpenOrder.objects.get(order_id="O-2").get_absolute_url()
    shown(order(order_id="O-2", state="Part filled"))
    assert "Part filled" in text_of(viewer.get(address))
    shown(order(order_id="O-3"))
    assert "not open any more" in text_of(viewer.get(address), 404)


def test_the_page_of_an_order_tells_what_could_not_be_read(viewer: Client) -> None:
    shown(order(limit_price="abc"))
    page = text_of(viewer.get(OpenOrder.objects.get().get_absolute_url()))
    assert "&#x27;abc&#x27; is no number" in page


# --- The download


@pytest.fixture
def vic(db: None) -> User:
    user = User.objects.create_user("vic", password="a long enough password")
    user.groups.add(Group.objects.get(name="viewer"))
    return user


def rows_of(client: Client, **query: object) -> list[list[str]]:
    response = client.get(reverse("open-orders-export"), query)
    text = b"".join(response).decode("utf-8-sig")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return [*csv.reader(text.splitlines())]


def test_the_download_is_what_the_filter_finds_in_its_order(viewer: Client) -> None:
    shown(*orders(1_200), order(order_id="X-1", account="Live-7", quantity="1.50"))
    assert len(rows_of(viewer)) == 1_202
    header, row = rows_of(viewer, account="live-7")
    assert dict(zip(header, row, strict=True)) | {"side": "Buy"} == {
        "order_id": "X-1",
        "account": "Live-7",
        "instrument": "MNQ 03-26",
        "side": "Buy",
        "type": "Limit",
        "time_in_force": "GTC",
        "quantity": "1.5",
        "filled": "1",
        "remaining": "2",
        "limit_price": "21350.25",
        "stop_price": "",
        "state": "Working",
        "submitted_at": "2026-01-05T14:35:03Z",
        "updated_at": "2026-01-05T14:40:00Z",
    }
    found = rows_of(viewer, sort_by="order_id", sort_order="desc", search="O-12")
    assert [row[0] for row in found[1:4]] == ["O-129", "O-128", "O-127"]


def test_no_cell_of_the_download_is_a_formula(viewer: Client) -> None:
    shown(order(instrument='=HYPERLINK("http://evil.example")', state="-1+1", limit_price="-2.5"))
    row = rows_of(viewer)[1]
    assert (row[2][:2], row[11], row[9]) == ("'=", "'-1+1", "-2.5")


def test_a_filter_that_cannot_be_used_downloads_nothing(viewer: Client) -> None:
    assert viewer.get(reverse("open-orders-export"), {"sort_by": "x"}).status_code == 404


# --- The admin


@pytest.mark.parametrize("model", ["openorder", "openordersnapshot"])
def test_the_admin_shows_and_changes_nothing(client: Client, adam: User, model: str) -> None:
    shown(order(limit_price="abc"))
    client.force_login(adam)
    one = {"openorder": OpenOrder, "openordersnapshot": OpenOrderSnapshot}[model].objects.get()
    assert client.get(reverse(f"admin:orders_{model}_changelist")).status_code == 200
    change = reverse(f"admin:orders_{model}_change", args=[one.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403
    assert client.post(reverse(f"admin:orders_{model}_delete", args=[one.pk])).status_code == 403
    assert client.get(reverse(f"admin:orders_{model}_add")).status_code == 403
