"""The open orders by the API."""

import pytest
from django.contrib.auth.models import User

from joblogs.models import JobLog
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.syncing import sync
from tests import desk
from tests.apis import asking, got, refused
from tests.desk import order, orders

LIST = "/api/open-orders"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> None:
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)


def shown(*found: dict[str, str]) -> None:
    desk.shows(*found)
    sync()


def test_an_order_in_json(vera: User) -> None:
    shown(order(limit_price="21350.2500", stop_price="oops"))
    answer = got(asking(vera), LIST)
    assert answer["success"] is True
    assert answer["open_orders"] == [
        {
            "id": OpenOrder.objects.get().key,
            "order_id": "O-1",
            "account": "Sim101",
            "instrument": "MNQ 03-26",
            "side": "Buy",
            "type": "Limit",
            "time_in_force": "GTC",
            "quantity": "3",
            "filled": "1",
            "remaining": "2",
            "limit_price": "21350.25",
            "stop_price": None,
            "state": "Working",
            "submitted_at": "2026-01-05T14:35:03Z",
            "updated_at": "2026-01-05T14:40:00Z",
            "problems": [
                {
                    "field": "stop_price",
                    "column": "stop_price",
                    "value": "oops",
                    "error": "'oops' is no number",
                }
            ],
        }
    ]
    assert answer["pagination"] == {"page": 1, "per_page": 50, "total": 1, "pages": 1}
    taken_at = OpenOrderSnapshot.objects.get().taken_at.isoformat().replace("+00:00", "Z")
    assert answer["sync"] | {"sentence": ""} == {
        "state": "synced",
        "taken_at": taken_at,
        "sentence": "",
        "is_running": False,
    }


def test_before_the_first_sync_there_is_nothing(vera: User) -> None:
    answer = got(asking(vera), LIST)
    assert answer["open_orders"] == []
    assert (answer["sync"]["state"], answer["sync"]["taken_at"]) == ("never", None)


def test_pages_filters_and_order_are_those_of_the_page(vera: User) -> None:
    shown(*orders(30), order(order_id="X", side="Sell"))
    client = asking(vera)
    first = got(client, LIST, per_page=25, sort_by="order_id", sort_order="asc")
    second = got(client, LIST, per_page=25, sort_by="order_id", sort_order="asc", page=2)
    ids = [one["order_id"] for page in (first, second) for one in page["open_orders"]]
    assert ids == sorted(ids)
    assert len(ids) == 31
    assert [one["order_id"] for one in got(client, LIST, side="sell")["open_orders"]] == ["X"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "snapshot"},
        {"per_page": 7},
        {"page": 0},
        {"start_date": "x"},
        {"problems": "maybe"},
        {"start_date": "2026-01-02", "end_date": "2026-01-01"},
    ],
)
def test_what_cannot_be_understood_is_refused(vera: User, query: dict[str, object]) -> None:
    answer = refused(asking(vera).get(LIST, query), 400, "INVALID_PARAMETER")
    assert answer["details"].keys() & query.keys()


def test_one_order_keeps_its_id(vera: User) -> None:
    shown(*orders(2))
    id = OpenOrder.objects.get(order_id="O-2").key
    shown(order(order_id="O-2", state="Filled"))
    assert got(asking(vera), f"{LIST}/{id}")["open_order"]["state"] == "Filled"
    shown(order(order_id="O-3"))
    refused(asking(vera).get(f"{LIST}/{id}"), 404, "ORDER_NOT_FOUND")


def test_a_sync_is_queued(olga: User, vera: User) -> None:
    refused(asking(vera).post(f"{LIST}/sync"), 403, "PERMISSION_DENIED")
    response = asking(olga).post(f"{LIST}/sync")
    assert response.status_code == 202
    assert asking(olga).post(f"{LIST}/sync").json() == response.json()
    log = JobLog.objects.get()
    assert response.json()["job_log"] == log.name
    assert (log.job, log.trigger, log.asked_by) == ("sync_open_orders", "api", olga)
    assert got(asking(olga), LIST)["sync"]["is_running"] is True
