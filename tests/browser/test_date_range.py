"""Asking a source for days as people do: in the form, by the keyboard, in the dark and narrow."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from imports.models import ImportExecutionLog
from tests.browser.conftest import Visit, barriers
from tests.conftest import work_off
from tests.fillsource import FillSource, use
from trades.models import Trade

pytestmark = pytest.mark.django_db(transaction=True)
FORM = reverse("import-date-range")


@pytest.fixture(autouse=True)
def source(tmp_path: Path, settings: object) -> FillSource:
    source = FillSource(tmp_path / "desk.sqlite3").prepare()
    for day in (5, 6, 7):
        source.fill(f"fill-{day}", f"2026-01-0{day} 14:00:00")
    source.spoil("2026-01-06")
    use(settings, source.as_setting())
    return source


def test_days_are_asked_for_by_the_keyboard_and_again(
    visit: Visit, olga: User, source: FillSource
) -> None:
    page = visit(reverse("import-logs"), olga)
    page.get_by_role("link", name="import days from a source").click()
    page.wait_for_url(f"**{FORM}")  # the list has a "From", too, and keys go to what has the focus
    page.get_by_label("From", exact=True).focus()
    page.keyboard.type("01072026")
    page.get_by_label("To", exact=True).focus()
    page.keyboard.type("01052026")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2026-01-05 is before 2026-01-07")).to_be_visible()
    expect(page.get_by_label("To", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("From", exact=True).fill("2026-01-05")
    page.get_by_label("To", exact=True).fill("2026-01-07")
    page.get_by_role("button", name="Import these days").click()
    expect(page.get_by_text("0 of 3 days are fetched")).to_be_visible()
    work_off()
    page.reload()
    days = page.locator("#days")
    expect(days.get_by_role("row", name="2026-01-06")).to_contain_text("Failed")
    expect(days.get_by_role("row", name="2026-01-07")).to_contain_text("Done")
    assert Trade.objects.count() == 2
    source.mend()
    page.get_by_role("link", name="Retry…").click()
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("will be imported again")).to_be_visible()
    work_off()
    assert Trade.objects.count() == 3
    assert ImportExecutionLog.objects.count() == 2


def test_nobody_is_shut_out(visit: Visit, olga: User) -> None:
    page = visit(FORM, olga)
    page.get_by_label("To", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Import these days").click()
    expect(page.get_by_text("is before")).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("From", exact=True).fill("2026-01-05")
    page.get_by_label("To", exact=True).fill("2026-01-07")
    page.get_by_role("button", name="Import these days").click()
    work_off()
    page.reload()
    expect(page.locator("#days")).to_be_visible()
    assert barriers(page) == []


def test_the_scheduler_leads_to_the_form(visit: Visit, olga: User) -> None:
    page = visit(reverse("scheduler"), olga)
    page.get_by_role("link", name="Import days from a source").click()
    expect(page.get_by_role("heading", name="Import days from the source")).to_be_visible()
