"""The pages of trades, positions and issues: filters, ways to the lines, remarks, rights."""

import csv
import io
import re
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.models import ImportExecutionLog
from tests.conftest import TakeIn, file_of, fill
from trades.course import course, drawings
from trades.models import Account, Instrument, IntegrityIssue, Position, Trade
from trades.touched import mark_wholly
from web import bounded

TRADES, POSITIONS, ISSUES = reverse("trades"), reverse("positions"), reverse("issues")
LISTS = [TRADES, POSITIONS, ISSUES]

pytestmark = pytest.mark.django_db


def at(minute: int, number: int, **cells: str) -> str:
    return fill(Time=f"1/5/2026 6:{minute:02}:00 AM", ID=f"exec-{number}", **cells)


@pytest.fixture
def desk(take_in: TakeIn) -> ImportExecutionLog:
    """A winner and a loser in MNQ, a stock of unknown worth that is held, and what the broker
    states of it is another position."""
    return take_in(
        file_of(
            at(1, 1, Quantity="2", Price="100"),
            at(2, 2, Action="Sell", Quantity="2", Price="110"),
            at(3, 3, Account="Live-7", Price="100"),
            at(4, 4, Account="Live-7", Action="Sell", Price="90", Commission="-$0.20"),
            at(5, 5, Instrument="AAPL", Quantity="10", Price="240", Position="50 L"),
        )
    )


def member(client: Client, group: str) -> Client:
    user = User.objects.create_user(f"a {group}", password="a long enough password")
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    return member(client, "viewer")


@pytest.fixture
def operator(client: Client) -> Client:
    return member(client, "operator")


@pytest.fixture
def admin(client: Client) -> Client:
    return member(client, "admin")


def text_of(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status, response.content
    return unescape(response.content.decode())


def listed(client: Client, address: str, **query: object) -> list[int]:
    """The numbers of what a list shows, in its order."""
    page = text_of(client.get(address, query))
    name = {TRADES: "trade", POSITIONS: "position"}[address]
    return [int(key) for key in re.findall(rf'id="{name}-(\d+)"', page)]


def ids(client: Client, **query: object) -> list[str]:
    """The execution ids of the trades that the list shows."""
    keys = listed(client, TRADES, **query)
    found = Trade.objects.in_bulk(keys)
    return [found[key].execution_id for key in keys]


def downloaded(client: Client, name: str, **query: object) -> list[dict[str, str]]:
    response = client.get(reverse(name), query)
    assert response.status_code == 200
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


# --- Doors


@pytest.mark.parametrize("address", [*LISTS, "/trades/1/", "/positions/1/", "/positions/totals/"])
def test_strangers_log_in_and_nobody_sees_nothing(client: Client, address: str) -> None:
    assert client.get(address).url.startswith("/login/")
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(address).status_code == 403


def test_a_viewer_changes_nothing(viewer: Client, desk: ImportExecutionLog) -> None:
    trade, position = Trade.objects.first(), Position.objects.first()
    unknown = Instrument.objects.get(symbol="AAPL")
    doors = [
        reverse("trade", args=[trade.pk]),
        reverse("position", args=[position.pk]),
        reverse("point-value", args=[unknown.pk]),
        reverse("issues-dismiss"),
        reverse("issues-restore"),
    ]
    assert [viewer.post(door, {"notes": "x"}).status_code for door in doors] == [403] * 5
    assert "Save" not in text_of(viewer.get(doors[0]))
    assert "Dismiss the chosen" not in text_of(viewer.get(ISSUES))


def test_the_sidebar_leads_there_and_counts_errors(
    viewer: Client, desk: ImportExecutionLog
) -> None:
    page = text_of(viewer.get(TRADES))
    assert all(f'href="{address}"' in page for address in LISTS)
    assert IntegrityIssue.objects.standing().errors().count() == 1
    assert re.search(r"Issues\s*</span>.{0,400}?>\s*1\s*<", page, re.DOTALL)


# --- Trades


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"account": "Live-7"}, [4, 3]),
        ({"account": ["Live-7", "Sim101"]}, [5, 4, 3, 2, 1]),
        ({"instrument": "aapl"}, [5]),
        ({"instrument": "AAPL", "account": "Live-7"}, []),
        ({"side": "sell"}, [4, 2]),
        ({"search": "exec-3"}, [3]),
        ({"search": "exec"}, []),
        ({"batch": "1"}, []),
        ({"start_date": "2026-01-06"}, []),
        ({"end_date": "2026-01-05"}, [5, 4, 3, 2, 1]),
        ({"sort_by": "price", "sort_order": "asc"}, [4, 1, 3, 2, 5]),
        ({"sort_by": "instrument"}, [4, 3, 2, 1, 5]),
    ],
    ids=str,
)
def test_trades_are_filtered_and_sorted(
    viewer: Client, desk: ImportExecutionLog, query: dict, expected: list[int]
) -> None:
    assert ids(viewer, **query) == [f"exec-{number}" for number in expected]


def test_the_trades_of_an_import(viewer: Client, desk: ImportExecutionLog, take_in: TakeIn) -> None:
    other = take_in(file_of(at(9, 9)))
    found = {log: ids(viewer, **{"import": log.pk}) for log in (desk, other)}
    assert [len(found[desk]), found[other]] == [5, ["exec-9"]]
    assert f"{TRADES}?import={other.pk}" in text_of(viewer.get(other.get_absolute_url()))


@pytest.mark.parametrize(
    ("address", "query"),
    [
        (TRADES, {"account": "none of these"}),
        (TRADES, {"sort_by": "notes"}),
        (TRADES, {"import": "x"}),
        (TRADES, {"import": "9" * 30}),
        (TRADES, {"start_date": "2026-02-01", "end_date": "2026-01-01"}),
        (POSITIONS, {"status": "half"}),
        (ISSUES, {"dismissed": "maybe"}),
    ],
)
def test_nonsense_is_not_taken_for_nothing(
    viewer: Client, desk: ImportExecutionLog, address: str, query: dict
) -> None:
    assert "These filters cannot be used" in text_of(viewer.get(address, query))
    if address != ISSUES:
        assert viewer.get(f"{address}export/", query).status_code == 404


def test_pages_of_ten(viewer: Client, take_in: TakeIn) -> None:
    take_in(file_of(*(at(minute, minute) for minute in range(12))))
    assert len(listed(viewer, TRADES, per_page=10)) == 10
    assert ids(viewer, per_page=10, page=2) == ["exec-1", "exec-0"]
    assert len(listed(viewer, TRADES, per_page=7)) == 12  # as if not given: 50
    assert "11–12 of 12 trades" in text_of(viewer.get(TRADES, {"per_page": 10, "page": 2}))


def test_trades_lead_to_their_line_and_position(viewer: Client, desk: ImportExecutionLog) -> None:
    trade = Trade.objects.get(execution_id="exec-2")
    position = trade.parts.get().position_id
    line = f"{desk.get_absolute_url()}?from=3#line-3"
    for page in (TRADES, reverse("trade", args=[trade.pk])):
        text = text_of(viewer.get(page))
        assert f'href="{line}"' in text
        assert f'href="{reverse("position", args=[position])}"' in text
    there = text_of(viewer.get(line))
    assert 'id="line-3"' in there
    assert f'href="{reverse("trade", args=[trade.pk])}"' in there


def test_notes_and_review_are_kept(admin: Client, desk: ImportExecutionLog) -> None:
    trade = Trade.objects.get(execution_id="exec-1")
    page = reverse("trade", args=[trade.pk])
    answer = admin.post(page, {"notes": "<b>early</b>", "reviewed": "on", "price": "1"})
    assert answer.url == page
    trade.refresh_from_db()
    assert (trade.notes, trade.reviewed, trade.price) == ("<b>early</b>", True, 100)
    assert "<b>early" not in admin.get(page).content.decode()


def test_the_download_has_all_that_fits(viewer: Client, desk: ImportExecutionLog) -> None:
    Trade.objects.filter(execution_id="exec-4").update(notes="=1+1", name="-2")
    rows = downloaded(viewer, "trades-export", account="Live-7", per_page=10, page=9)
    assert [row["execution_id"] for row in rows] == ["exec-4", "exec-3"]
    last = rows[0]
    assert (last["notes"], last["name"], last["commission"]) == ("'=1+1", "'-2", "-0.2")
    assert (last["executed_at"], last["import"], last["line"]) == (
        "2026-01-05T14:04:00Z",
        str(desk.pk),
        "5",
    )


def test_a_list_needs_as_many_queries_for_any_number(viewer: Client, take_in: TakeIn) -> None:
    counts = []
    for first in (0, 10):
        take_in(file_of(*(at(minute, minute) for minute in range(first, first + 9))))
        for address in LISTS:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                text_of(viewer.get(address))
            counts.append(len(queries))
    assert counts[:3] == counts[3:]


# --- Positions


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["exec-5", "exec-3", "exec-1"]),
        ({"account": "Sim101"}, ["exec-5", "exec-1"]),
        ({"instrument": "MNQ 03-26"}, ["exec-3", "exec-1"]),
        ({"direction": "short"}, []),
        ({"status": "open"}, ["exec-5"]),
        ({"status": "closed"}, ["exec-3", "exec-1"]),
        ({"pnl": "winners"}, ["exec-1"]),
        ({"pnl": "losers"}, ["exec-3"]),
        ({"pnl": "unknown"}, ["exec-5"]),
        ({"tag": "breakout"}, ["exec-3"]),
        ({"start_date": "2026-01-06"}, []),
        ({"closed_from": "2026-01-05", "closed_to": "2026-01-05"}, ["exec-3", "exec-1"]),
        ({"closed_to": "2026-01-04"}, []),
        ({"closed_from": "2026-01-06"}, []),
        ({"currency": "usd"}, ["exec-3", "exec-1"]),
        ({"currency": "unknown"}, ["exec-5"]),
        ({"sort_by": "net_pnl"}, ["exec-1", "exec-3", "exec-5"]),
        ({"sort_by": "net_pnl", "sort_order": "asc"}, ["exec-3", "exec-1", "exec-5"]),
    ],
    ids=str,
)
def test_positions_are_filtered_and_sorted(
    viewer: Client, desk: ImportExecutionLog, query: dict, expected: list[str]
) -> None:
    Position.objects.filter(account__name="Live-7").update(tags=["breakout", "morning"])
    names = dict(Position.objects.values_list("pk", "first_trade__execution_id"))
    assert [names[key] for key in listed(viewer, POSITIONS, **query)] == expected


def test_totals_are_by_currency(viewer: Client, desk: ImportExecutionLog) -> None:
    Account.objects.filter(name="Live-7").update(currency="EUR")
    Position.objects.filter(account__name="Live-7").update(currency="EUR")
    page = text_of(viewer.get(POSITIONS))
    totals = page[page.index('id="totals"') : page.index('id="filters"')]
    # 2 × 10 points × 2 less 2 × 0.52; 10 points × 2 less 0.52 and a rebate of 0.20.
    assert "38.96" in totals
    assert "-20.32" in totals
    assert "1 of unknown P&L" in totals
    assert "18.64" not in totals


def test_more_than_are_added_up_at_once_are_asked_for_apart(
    viewer: Client, desk: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trades.positionpages.ADDED_AT_ONCE", 2)
    page = text_of(viewer.get(POSITIONS))
    apart = reverse("positions-totals")
    assert f'hx-get="{apart}"' in page
    assert "18.64" not in page[: page.index('id="filters"')]
    assert "18.64" in text_of(viewer.get(apart))


def test_the_list_says_how_much_is_held(viewer: Client, desk: ImportExecutionLog) -> None:
    assert re.findall(r">\s*([\d.]+) held</bdi>", text_of(viewer.get(POSITIONS))) == ["10"]


def test_what_waits_to_be_computed_is_said(viewer: Client, desk: ImportExecutionLog) -> None:
    position = Position.objects.get(instrument__symbol="AAPL")
    its_page = reverse("position", args=[position.pk])
    assert "Being computed" not in text_of(viewer.get(POSITIONS)) + text_of(viewer.get(its_page))
    mark_wholly([(position.account_id, position.instrument_id)])
    assert "Being computed anew: <bdi>AAPL in Sim101</bdi>" in text_of(viewer.get(POSITIONS))
    assert "Being computed anew" in text_of(viewer.get(its_page))


def test_positions_follow_the_point_value(
    admin: Client, desk: ImportExecutionLog, django_capture_on_commit_callbacks: object
) -> None:
    stock = Instrument.objects.get(symbol="AAPL")
    door = reverse("point-value", args=[stock.pk])
    assert f'href="{door}"' in text_of(admin.get(POSITIONS))
    assert "more than 0" in text_of(admin.post(door, {"point_value": "-1"}))
    assert Position.objects.get(instrument=stock).gross_pnl is None
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post(door, {"point_value": "1"}).url == f"{POSITIONS}?instrument=AAPL"
    assert Position.objects.get(instrument=stock).net_pnl == Decimal("-0.52")
    assert f'href="{door}"' not in text_of(admin.get(POSITIONS))


def test_one_answer_may_do_for_all_of_a_kind(
    admin: Client, desk: ImportExecutionLog, django_capture_on_commit_callbacks: object
) -> None:
    stock = Instrument.objects.get(symbol="AAPL")
    door = reverse("point-value", args=[stock.pk])
    assert "with_others" not in text_of(admin.get(door))
    for symbol, kind, worth in (
        ("MSFT", "stock", None),
        ("T", "stock", 7),
        ("CALL", "option", None),
    ):
        terms = {"root": symbol, "kind": kind, "point_value": worth}
        Instrument.objects.create(symbol=symbol, **terms)
    assert "all other stock instruments of unknown point value (1)" in text_of(admin.get(door))
    said = {"point_value": "1", "currency": "usd", "with_others": "on"}
    assert "three letters" in text_of(admin.post(door, said | {"currency": "12"}))
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(door, said)
    found = dict(Instrument.objects.values_list("symbol", "point_value"))
    assert [found[one] for one in ("AAPL", "MSFT", "T", "CALL")] == [1, 1, 7, None]
    position = Position.objects.get(instrument=stock)
    assert (position.currency, position.net_pnl) == ("USD", Decimal("-0.52"))
    assert 'name="currency"' not in text_of(admin.get(door))
    admin.post(door, {"point_value": "1"})
    stock.refresh_from_db()
    assert stock.currency == "USD"


def test_one_answer_may_do_for_all_contracts_of_a_root(admin: Client) -> None:
    for symbol, root in (("QQX 03-26", "QQX"), ("QQX 06-26", "QQX"), ("QQY 03-26", "QQY")):
        Instrument.objects.create(symbol=symbol, root=root, kind="future")
    door = reverse("point-value", args=[Instrument.objects.get(symbol="QQX 03-26").pk])
    assert "all other contracts of QQX of unknown point value (1)" in text_of(admin.get(door))
    admin.post(door, {"point_value": "10", "currency": "EUR", "with_others": "on"})
    found = Instrument.objects.order_by("symbol").values_list("point_value", "currency")
    assert list(found) == [(10, "EUR"), (10, "EUR"), (None, "")]


def test_a_position_says_in_what_its_commission_is_taken_to_be(
    viewer: Client, desk: ImportExecutionLog
) -> None:
    position = Position.objects.get(first_trade__execution_id="exec-1")
    its_page = reverse("position", args=[position.pk])
    words = "Commission is taken to be in USD, as the P&L is; the account is in EUR."
    assert words not in text_of(viewer.get(its_page))
    Account.objects.filter(pk=position.account_id).update(currency="EUR")
    assert words in text_of(viewer.get(its_page))


def test_a_position_says_where_its_point_value_is_from(
    viewer: Client, desk: ImportExecutionLog
) -> None:
    future = Position.objects.filter(instrument__symbol="MNQ 03-26").earliest("pk")
    page = reverse("position", args=[future.pk])
    shipped = "2, from the table of futures: Micro E-mini Nasdaq-100, CME; 3 sources"
    assert shipped in text_of(viewer.get(page))
    Instrument.objects.filter(pk=future.instrument_id).update(point_value=3)
    assert "3, set by hand" in text_of(viewer.get(page))
    stock = reverse("position", args=[Position.objects.get(instrument__symbol="AAPL").pk])
    assert "<dt>Point value</dt><dd><bdi>unknown" in text_of(viewer.get(stock))


def test_a_position_leads_down_to_its_lines(viewer: Client, desk: ImportExecutionLog) -> None:
    position = Position.objects.get(first_trade__execution_id="exec-1")
    page = text_of(viewer.get(reverse("position", args=[position.pk])))
    for trade, line in (("exec-1", 2), ("exec-2", 3)):
        assert f'href="{desk.get_absolute_url()}?from={line}#line-{line}"' in page
        key = Trade.objects.get(execution_id=trade).pk
        assert f'href="{reverse("trade", args=[key])}"' in page
    assert page.count("<polyline") == 2


def test_a_fill_that_reverses_shows_its_part(viewer: Client, take_in: TakeIn) -> None:
    take_in(file_of(at(1, 1), at(2, 2, Action="Sell", Quantity="3")))
    page = text_of(viewer.get(reverse("position", args=[Position.objects.earliest("pk").pk])))
    assert re.search(r'data-label="Qty">1 <span class="tl-muted">part', page)


@pytest.mark.parametrize("first", [1, 3, 5])
def test_the_course_ends_where_the_position_does(desk: ImportExecutionLog, first: int) -> None:
    position = Position.objects.get(first_trade__execution_id=f"exec-{first}")
    steps = list(course(position, position.parts.select_related("trade")).values())
    assert (steps[-1].held, steps[-1].net) == (position.net_quantity, position.net_pnl)
    assert len(drawings(steps)) == (1 if position.net_pnl is None else 2)


def test_a_course_of_one_moment_is_drawn(take_in: TakeIn) -> None:
    take_in(file_of(at(1, 1), at(1, 2, Action="Sell")))
    position = Position.objects.get()
    quantity, _ = drawings(course(position, position.parts.select_related("trade")).values())
    assert quantity.points == "0,80 300,80 300,0 600,0 600,80 600,80"


def test_a_position_of_many_fills_is_not_drawn(
    viewer: Client, desk: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trades.positionpages.MOST_DRAWN", 1)
    position = Position.objects.get(first_trade__execution_id="exec-1")
    page = text_of(viewer.get(reverse("position", args=[position.pk])))
    assert "too many fills to be drawn" in page
    assert "<polyline" not in page
    assert page.count('data-label="Held after">—') == 2


def test_notes_and_tags_are_kept(operator: Client, desk: ImportExecutionLog) -> None:
    position = Position.objects.get(first_trade__execution_id="exec-1")
    page = reverse("position", args=[position.pk])
    assert operator.post(page, {"notes": "well", "tags": " b ,a, b", "net_pnl": "1"}).url == page
    kept = Position.objects.get(pk=position.pk)
    assert (kept.notes, kept.tags, kept.net_pnl) == ("well", ["a", "b"], position.net_pnl)
    assert "at most 50" in text_of(operator.post(page, {"tags": "x" * 51}))


def test_the_download_of_positions(viewer: Client, desk: ImportExecutionLog) -> None:
    Position.objects.update(tags=["=1+1"])
    unknown, loser, winner = downloaded(viewer, "positions-export")
    assert (loser["net_pnl"], winner["net_pnl"], unknown["net_pnl"]) == ("-20.32", "38.96", "")
    assert (unknown["closed_at"], unknown["tags"]) == ("", "'=1+1")


# --- Issues


def test_issues_stand_with_their_lines(viewer: Client, desk: ImportExecutionLog) -> None:
    issue = IntegrityIssue.objects.get(kind="broker_position")
    page = text_of(viewer.get(ISSUES, {"kind": "broker_position"}))
    assert issue.message in page
    assert f'href="{desk.get_absolute_url()}?from=6#line-6"' in page
    assert f'href="{reverse("trade", args=[issue.trade_id])}"' in page
    assert issue.message not in text_of(viewer.get(ISSUES, {"account": "Live-7"}))
    assert issue.message in text_of(viewer.get(reverse("position", args=[issue.position_id])))


def test_issues_are_dismissed_for_a_reason_and_restored(
    operator: Client, desk: ImportExecutionLog
) -> None:
    issue = IntegrityIssue.objects.get(kind="broker_position")
    dismiss, here = reverse("issues-dismiss"), {"issue": issue.pk, "next": f"{ISSUES}?kind=gap"}
    assert operator.post(dismiss, {"issue": issue.pk, "reason": "  "}).url == ISSUES
    issue.refresh_from_db()
    assert issue.dismissed_at is None
    assert operator.post(dismiss, here | {"reason": "moved in"}).url == f"{ISSUES}?kind=gap"
    issue.refresh_from_db()
    assert (issue.dismissal_reason, issue.dismissed_by.username) == ("moved in", "a operator")
    assert issue.message not in text_of(operator.get(ISSUES))
    assert "moved in" in text_of(operator.get(ISSUES, {"dismissed": "yes"}))
    operator.post(reverse("issues-restore"), here)
    assert issue.message in text_of(operator.get(ISSUES))


def test_the_way_back_leads_nowhere_else(operator: Client, desk: ImportExecutionLog) -> None:
    elsewhere = {"reason": "x", "next": "https://example.org/issues/"}
    assert operator.post(reverse("issues-dismiss"), elsewhere).url == ISSUES


def test_nothing_yet(viewer: Client) -> None:
    assert "No trades yet" in text_of(viewer.get(TRADES))
    assert "No positions yet" in text_of(viewer.get(POSITIONS))
    assert "Everything fits together" in text_of(viewer.get(ISSUES))
    assert "No trades fit these filters" in text_of(viewer.get(TRADES, {"side": "buy"}))
    assert viewer.get("/trades/1/").status_code == 404
    assert viewer.get("/positions/1/").status_code == 404


def test_too_many_are_sorted_by_time_alone(
    viewer: Client, desk: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = listed(viewer, TRADES)
    assert listed(viewer, TRADES, sort_by="price") != usual
    monkeypatch.setattr(bounded, "FAR", -46)  # of the first page, four are counted
    page = text_of(viewer.get(TRADES, {"sort_by": "price"}))
    assert "So many are sorted by nothing else" in page
    assert 'id="sort-executed_at"' in page
    assert 'id="sort-price"' not in page
    assert listed(viewer, TRADES, sort_by="price")[:4] == usual[:4]
    assert listed(viewer, TRADES, sort_order="asc")[:4] == usual[::-1][:4]
    few = text_of(viewer.get(TRADES, {"sort_by": "price", "instrument": "AAPL"}))
    assert 'id="sort-price"' in few
