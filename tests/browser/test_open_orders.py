"""The page of the open orders as people use it."""

import csv
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from joblogs.models import JobLog
from joblogs.tasks import answer
from orders.models import OpenOrder, OpenOrderSnapshot
from orders.syncing import sync
from tests import desk
from tests.browser.conftest import Visit, barriers
from tests.desk import order, orders

LIST = reverse("open-orders")
ROWS = "tr.tl-order"
EVERY = 20_000  # milliseconds between two looks at the server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_desk(settings: object) -> Iterator[None]:
    settings.TRADELOG_SOURCES = dict(settings.TRADELOG_SOURCES)
    settings.FILES_DIR.parent.mkdir(exist_ok=True)
    desk.shows(
        *orders(55),
        order(order_id="S-1", side="Sell", instrument="ES 03-26", limit_price="oops"),
        order(order_id="S-2", side="Sell", instrument='"><b>bold</b>', account="Live-7"),
    )
    sync()


def test_filters_sort_and_pages_work_without_a_reload(visit: Visit, vera: User) -> None:
    page = visit(LIST, vera)
    rows = page.locator(ROWS)
    expect(rows).to_have_count(50)
    page.get_by_label("Pages").get_by_role("link", name="2").click()
    expect(rows).to_have_count(7)
    page.get_by_label("Side").select_option("Sell")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/open-orders/\?side=Sell&per_page=50$"))
    page.get_by_role("link", name="Order", exact=True).click()
    expect(page).to_have_url(re.compile("sort_by=order_id"))
    expect(rows.first).to_contain_text("S-1")
    page.get_by_label("Instrument").select_option("ES 03-26")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("sort_by=order_id"))
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Reset").click()
    page.get_by_label("Search").fill("live")
    page.keyboard.press("Enter")
    page.clock.run_for(100)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text('"><b>bold</b>')


def test_the_download_is_of_what_is_shown(visit: Visit, vera: User) -> None:
    page = visit(LIST, vera)
    page.get_by_label("Side").select_option("Sell")
    expect(page.locator(ROWS)).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = [*csv.DictReader(text.splitlines())]
    assert {row["order_id"] for row in rows} == {"S-1", "S-2"}


def test_the_list_and_the_badge_renew_themselves(visit: Visit, vera: User) -> None:
    page = visit(LIST, vera)
    badge = page.locator("#sync")
    expect(badge).to_contain_text("Synced")
    desk.shows(*orders(3))
    sync()
    page.clock.run_for(EVERY)
    expect(page.locator(ROWS)).to_have_count(3)
    for minutes, word in ((12, "Stale"), (40, "Outdated")):
        then = timezone.now() - timedelta(minutes=minutes)
        OpenOrderSnapshot.objects.update(taken_at=then)
        page.clock.run_for(EVERY)
        expect(badge).to_contain_text(word)


def test_an_operator_syncs_and_sees_it_happen(visit: Visit, olga: User) -> None:
    page = visit(LIST, olga)
    desk.shows(*orders(4))
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("will be synced as soon as a worker is free")).to_be_visible()
    expect(page.get_by_text("A sync waits for a worker.")).to_be_visible()
    answer(JobLog.objects.get().pk)
    page.clock.run_for(3_000)
    expect(page.locator(ROWS)).to_have_count(4)
    expect(page.get_by_text("A sync waits")).to_have_count(0)
    page.get_by_role("link", name="Its log").click()
    expect(page.get_by_text("Batch 1/1 imported (4 records)")).to_be_visible()


def test_a_server_that_does_not_answer_is_told(
    visit: Visit, vera: User, complaints: list[str]
) -> None:
    page = visit(LIST, vera)
    page.context.set_offline(True)
    page.clock.run_for(EVERY)
    expect(page.get_by_text("Could not load this: the server did not answer.")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(50)
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Could not load this")).to_have_count(0)
    complaints.clear()


def test_a_row_is_one_line_and_no_column_is_cut_off(visit: Visit, vera: User) -> None:
    names = {"account": "LIVE-7001", "side": "buy_to_cover", "type": "stop_limit"}
    prices = {"limit_price": "21355.25", "stop_price": "21326.25", "state": "pending_cancel"}
    desk.shows(*(order(order_id=f"A88010{one}", **names, **prices) for one in range(3)))
    sync()
    page = visit(LIST, vera, viewport={"width": 1280, "height": 800})
    panel = page.locator("#orders")
    assert panel.evaluate("it => it.scrollWidth - it.clientWidth") == 0
    for row in page.locator(ROWS).all():
        assert row.evaluate("it => it.offsetHeight") < 45


def test_the_keyboard_stays_where_it_is(visit: Visit, vera: User) -> None:
    page = visit(LIST, vera)
    page.locator("#row-7").focus()
    desk.shows(*orders(60))
    sync()
    page.clock.run_for(EVERY)
    expect(page.get_by_text("of 60 open orders")).to_be_visible()
    expect(page.locator("#row-7")).to_be_focused()


def test_an_order_opens_and_tells_what_could_not_be_read(visit: Visit, vera: User) -> None:
    page = visit(f"{LIST}?problems=yes", vera)
    page.get_by_role("link", name="S-1").click()
    expect(page.get_by_text("'oops' is no number")).to_be_visible()
    page.locator(".tl-back a").click()
    expect(page.locator(ROWS)).to_have_count(50)


def test_nobody_is_shut_out(visit: Visit, olga: User) -> None:
    bad = OpenOrder.objects.get(order_id="S-1").get_absolute_url()
    for address in (LIST, f"{LIST}?side=Sell", f"{LIST}?sort_by=x", bad):
        page = visit(address, olga)
        assert barriers(page) == []
