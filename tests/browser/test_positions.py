"""The pages of trades, positions and issues as people use them."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import Visit, barriers
from tests.conftest import EXAMPLES, TakeIn
from trades.models import IntegrityIssue, Position

TRADES, POSITIONS, ISSUES = reverse("trades"), reverse("positions"), reverse("issues")
ROWS = "#list tr.tl-row"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sample(transactional_db: None, take_in: TakeIn) -> None:
    take_in((EXAMPLES / "ninjatrader-us.csv").read_bytes())


def test_filters_and_sorts_work_without_a_reload(visit: Visit, vera: User) -> None:
    page = visit(TRADES, vera)
    rows = page.locator(ROWS)
    expect(rows).to_have_count(50)
    page.get_by_label("Pages").get_by_role("link", name="2").click()
    expect(rows).to_have_count(10)
    page.locator(".tl-several summary").click()
    page.get_by_label("Sim101").check()
    page.clock.run_for(100)
    expect(page.locator("#list .tl-pages")).not_to_contain_text("of 60")
    expect(page).to_have_url(re.compile("account=Sim101"))
    page.get_by_role("link", name="Price").click()
    expect(page.locator("th.tl-price")).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile("account=Sim101"))
    page.reload()
    expect(page.locator("th.tl-price")).to_have_attribute("aria-sort", "descending")


def test_from_the_position_down_to_the_line(visit: Visit, vera: User) -> None:
    page = visit(POSITIONS, vera)
    page.locator(f"{ROWS} a").first.click()
    expect(page.locator("polyline")).to_have_count(2)
    page.locator("#fills tbody a").last.click()
    expect(page.locator("tr:target")).to_be_visible()
    page.locator("tr:target").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Part of")).to_be_visible()


def test_an_issue_is_dismissed(visit: Visit, adam: User) -> None:
    page = visit(ISSUES, adam)
    before = IntegrityIssue.objects.standing().count()
    page.locator(f"{ROWS} [type=checkbox]").first.check()
    page.get_by_label("Reason").fill("moved in")
    page.get_by_role("button", name="Dismiss the chosen").click()
    expect(page.get_by_text("1 issue dismissed.")).to_be_visible()
    assert IntegrityIssue.objects.standing().count() == before - 1


def test_the_kind_of_an_issue_stands_on_one_line(visit: Visit, adam: User) -> None:
    IntegrityIssue.objects.filter(pk=IntegrityIssue.objects.earliest("pk").pk).dismiss(
        adam, "known"
    )
    page = visit(f"{ISSUES}?dismissed=all", adam, viewport={"width": 1280, "height": 800})
    badges = page.locator(f"{ROWS} .tl-kind .whitespace-nowrap")
    assert set(badges.evaluate_all("all => all.map(one => one.offsetHeight)")) == {24}
    wide, panel = page.locator("#list").evaluate("list => [list.scrollWidth, list.clientWidth]")
    assert wide <= panel


def test_nobody_is_shut_out(visit: Visit, adam: User) -> None:
    one = reverse("position", args=[Position.objects.earliest("pk").pk])
    trade = reverse("trade", args=[Position.objects.earliest("pk").first_trade_id])
    for address in (TRADES, POSITIONS, ISSUES, one, trade):
        page = visit(address, adam)
        assert barriers(page) == []
