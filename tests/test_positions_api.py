"""The API of trades, positions and issues."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from imports.models import ImportExecutionLog
from tests.apis import asking, got, refused
from tests.conftest import TakeIn, file_of, fill
from trades.models import IntegrityIssue, Position, Trade
from trades.touched import mark_wholly

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(take_in: TakeIn) -> ImportExecutionLog:
    """A long that a larger sale reverses, and a broker who states something else."""
    return take_in(
        file_of(
            fill(Time="1/5/2026 6:01:00 AM", ID="a", Price="100"),
            fill(Time="1/5/2026 6:02:00 AM", ID="b", Price="110.5", Action="Sell", Quantity="3"),
            fill(Time="1/5/2026 6:03:00 AM", ID="c", Account="Live-7", Position="9 L"),
        )
    )


@pytest.fixture
def vera_asks(vera: User) -> Client:
    return asking(vera)


@pytest.fixture
def olga_asks(olga: User) -> Client:
    olga.user_permissions.add(Permission.objects.get(codename="dismiss_issue"))
    return asking(olga)


def put(client: Client, address: str, body: object = None) -> object:
    return client.put(address, body, content_type="application/json")


def test_trades_by_the_page(vera_asks: Client, log: ImportExecutionLog) -> None:
    answer = got(vera_asks, "/api/trades", per_page=10, account="Sim101")
    assert [trade["execution_id"] for trade in answer["trades"]] == ["b", "a"]
    assert answer["pagination"] == {
        "page": 1,
        "per_page": 10,
        "total": 2,
        "pages": 1,
        "is_cut": False,
    }
    newest = answer["trades"][0]
    assert (newest["price"], newest["quantity"], newest["executed_at"]) == (
        "110.5",
        "3",
        "2026-01-05T14:02:00Z",
    )
    assert (newest["import_id"], newest["row_number"]) == (log.pk, 3)


def test_several_accounts(vera_asks: Client, log: ImportExecutionLog) -> None:
    answer = got(vera_asks, "/api/trades", account=["Sim101", "Live-7"])
    assert answer["pagination"]["total"] == 3


def test_one_trade_and_its_positions(vera_asks: Client, log: ImportExecutionLog) -> None:
    trade = Trade.objects.get(execution_id="b")
    answer = got(vera_asks, f"/api/trades/{trade.pk}")
    ours = Position.objects.filter(account__name="Sim101").order_by("pk")
    assert answer["trade"]["id"] == trade.pk
    assert answer["positions"] == [position.pk for position in ours]


def test_positions_by_what_came_of_them(vera_asks: Client, log: ImportExecutionLog) -> None:
    answer = got(vera_asks, "/api/positions", pnl="winners")
    (won,) = answer["positions"]
    # 10.5 points × 2 less 0.52 and a third of 0.52, which is rounded.
    assert (won["gross_pnl"], won["direction"], won["status"]) == ("21", "long", "closed")
    assert won["net_pnl"] == "20.3066666667"
    assert got(vera_asks, "/api/positions", status="open")["pagination"]["total"] == 2


def test_one_position_and_its_fills_by_key(vera_asks: Client, log: ImportExecutionLog) -> None:
    position = Position.objects.get(status="closed")
    address = f"/api/positions/{position.pk}"
    answer = got(vera_asks, address)
    assert [one["trade"]["execution_id"] for one in answer["fills"]] == ["a", "b"]
    assert [one["quantity"] for one in answer["fills"]] == ["1", "1"]
    assert answer["is_being_computed"] is False
    first = position.parts.order_by("pk").first()
    behind = got(vera_asks, address, after=first.pk)
    assert [one["trade"]["execution_id"] for one in behind["fills"]] == ["b"]
    mark_wholly([(position.account_id, position.instrument_id)])
    assert got(vera_asks, address)["is_being_computed"] is True


def test_a_long_position_is_told_in_pages(vera_asks: Client, take_in: TakeIn) -> None:
    lines = [fill(Time=f"1/5/2026 6:{n:02}:00 AM", ID=f"x-{n}") for n in range(25)]
    take_in(file_of(*lines))
    address, seen, after = f"/api/positions/{Position.objects.get().pk}", [], 0
    while after is not None:
        answer = got(vera_asks, address, per_page=10, after=after)
        seen += [one["trade"]["execution_id"] for one in answer["fills"]]
        after = answer["pagination"]["next"]
    assert seen == [f"x-{n}" for n in range(25)]


def test_issues_are_told_to_those_who_may_see_them(
    vera: User, vera_asks: Client, log: ImportExecutionLog
) -> None:
    issue = IntegrityIssue.objects.get(kind="broker_position")
    (told,) = got(vera_asks, "/api/issues", kind="broker_position")["issues"]
    assert (told["id"], told["is_error"], told["trade_ids"]) == (issue.pk, True, [issue.trade_id])
    address = f"/api/positions/{issue.position_id}"
    assert issue.pk in [one["id"] for one in got(vera_asks, address)["issues"]]
    vera.user_permissions.remove(Permission.objects.get(codename="view_integrityissue"))
    assert got(vera_asks, address)["issues"] == []


def test_an_issue_is_dismissed_once_and_restored(
    olga_asks: Client, log: ImportExecutionLog
) -> None:
    issue = IntegrityIssue.objects.get(kind="broker_position")
    address = f"/api/issues/{issue.pk}/dismiss"
    for body in ({}, {"reason": " "}, {"reason": "x" * 501}):
        assert "reason" in refused(put(olga_asks, address, body), 400, "INVALID_PARAMETER")["error"]
    answer = put(olga_asks, address, {"reason": "moved in"}).json()["issue"]
    assert (answer["dismissal_reason"], answer["dismissed_by"]) == ("moved in", "olga")
    refused(put(olga_asks, address, {"reason": "again"}), 409, "STATE_CONFLICT")
    found = got(olga_asks, "/api/issues", dismissed="yes")["issues"]
    assert [one["id"] for one in found] == [issue.pk]
    restore = f"/api/issues/{issue.pk}/restore"
    assert put(olga_asks, restore).json()["issue"]["dismissed_at"] is None
    refused(put(olga_asks, restore), 409, "STATE_CONFLICT")


@pytest.mark.parametrize("what", ["trade", "position"])
@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "999"])
def test_what_is_not_there(vera_asks: Client, what: str, key: str) -> None:
    refused(vera_asks.get(f"/api/{what}s/{key}"), 404, f"{what.upper()}_NOT_FOUND")


def test_an_issue_that_is_not_there(olga_asks: Client) -> None:
    refused(put(olga_asks, "/api/issues/9/dismiss", {"reason": "x"}), 404, "ISSUE_NOT_FOUND")


@pytest.mark.parametrize(
    ("address", "query", "name"),
    [
        ("/api/trades", {"account": "nobody's"}, "account"),
        ("/api/trades", {"import": "x"}, "import"),
        ("/api/trades", {"sort_by": "notes"}, "sort_by"),
        ("/api/trades", {"per_page": "7"}, "per_page"),
        ("/api/trades", {"start_date": "yesterday"}, "start_date"),
        ("/api/positions", {"pnl": "big"}, "pnl"),
        ("/api/issues", {"kind": "odd"}, "kind"),
    ],
)
def test_nonsense_is_refused(vera_asks: Client, address: str, query: dict, name: str) -> None:
    assert name in refused(vera_asks.get(address, query), 400, "INVALID_PARAMETER")["details"]
