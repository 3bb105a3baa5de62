"""The admin's first page as people use it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import Visit, barriers
from tests.conftest import EXAMPLES, TakeIn
from tests.fills import MORNING
from tests.test_figures import closed
from tradelog import dashboard
from trades.models import Instrument

PAGE = reverse("admin:index")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sample(transactional_db: None, take_in: TakeIn) -> None:
    take_in((EXAMPLES / "ninjatrader-us.csv").read_bytes())


@pytest.fixture
def much(sample: None) -> None:
    """Months of two currencies, with gains, losses and what is unknown."""
    stock = Instrument.objects.create(symbol="XYZ", root="XYZ", kind="stock", currency="USD")
    for number in range(120):
        at = MORNING - timedelta(days=3 * number)
        closed(str(25 * (number % 7 - 3)), at, currency="EUR" if number % 3 else "USD")
    closed(None, instrument=stock)


def figure(name: str) -> str:
    return f"#part-positions dl > div:has(dt:text-is('{name}')) > dd >> nth=0"


def test_filters_work_without_a_reload(visit: Visit, vera: User, sample: None) -> None:
    page = visit(PAGE, vera)
    expect(page.locator(figure("Closed positions"))).to_have_text("15")
    page.locator(".tl-several summary").click()
    page.get_by_label("Sim101").check()
    page.clock.run_for(100)
    expect(page.locator(figure("Closed positions"))).to_have_text("5")
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    page.get_by_label("Period").select_option("days")
    page.clock.run_for(100)
    expect(page.get_by_text("Say from which day")).to_be_visible()
    page.get_by_label("From", exact=True).fill("2026-01-06")
    page.clock.run_for(100)
    expect(page.get_by_text("No position was closed in this time.")).to_be_visible()
    expect(page).to_have_url(re.compile("account=Sim101&period=days&start_date=2026-01-06"))
    page.reload()
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-01-06")
    expect(page.get_by_label("Period")).to_have_value("days")


def test_the_currency_stays_when_something_else_is_chosen(
    visit: Visit, vera: User, much: None
) -> None:
    page = visit(PAGE, vera)
    page.get_by_label("Currencies").get_by_role("link", name="USD").click()
    page.get_by_label("Period").select_option("year")
    page.clock.run_for(100)
    expect(page.locator("#part-positions header")).to_contain_text("-01-01 to ")
    expect(page).to_have_url(re.compile("currency=USD"))


def test_every_drawing_can_be_read(visit: Visit, vera: User, much: None) -> None:
    page = visit(PAGE, vera)
    page.locator(".tl-equity summary").click()
    rows = page.locator(".tl-equity tbody tr")
    assert rows.count() == 80
    last = page.locator(".tl-equity tbody tr >> nth=-1").locator("td >> nth=-1")
    assert last.inner_text() == page.locator(figure("Net P&L")).inner_text()
    expect(page.locator(".tl-calendar").first.locator("td.tl-traded").first).to_contain_text(
        "closed"
    )
    page.locator("#part-imports summary").click()
    expect(page.locator("#part-imports tbody tr")).to_have_count(1)


def test_what_is_much_comes_later_and_says_so_if_it_cannot(
    visit: Visit,
    vera: User,
    sample: None,
    complaints: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = dashboard.PARTS["positions"]
    monkeypatch.setitem(dashboard.PARTS, "positions", type(part)(**{**vars(part), "most": 1}))
    page = visit(reverse("positions"), vera)
    page.route("**/admin/dashboard/**", lambda route: route.fulfill(status=500))
    page.goto(page.url.replace(reverse("positions"), PAGE))
    expect(page.get_by_text("Could not load this: the server answered 500.")).to_be_visible()
    page.unroute("**/admin/dashboard/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(figure("Closed positions"))).to_have_text("15")
    expect(page.locator("#trouble")).to_be_empty()
    complaints.clear()


def test_a_fresh_log_leads_to_sample_data(visit: Visit, adam: User) -> None:
    page = visit(PAGE, adam)
    assert barriers(page) == []
    page.get_by_role("button", name="Load sample data").click()
    expect(page.get_by_text("is being imported").first).to_be_visible()


def test_nobody_is_shut_out(visit: Visit, adam: User, much: None) -> None:
    page = visit(PAGE, adam)
    for summary in page.locator("#dashboard summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    assert barriers(page) == []


def test_the_colours_follow_the_dark_mode(visit: Visit, vera: User, much: None) -> None:
    colours = [
        visit(PAGE, vera, **kind)
        .locator(".tl-equity polyline")
        .evaluate("one => getComputedStyle(one).stroke")
        for kind in ({}, {"color_scheme": "dark"})
    ]
    assert colours[0] != colours[1]
