"""A second factor as people have it: set up with what the page shows, and logged in by it."""

import base64

import pytest
from django.contrib.auth.models import User
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect

from tests.apis import PASSWORD
from tests.browser.conftest import Visit, barriers
from tests.codes import PAGE, shown, with_second_factor, wrong_for
from tradelog.secondfactor import CODES

pytestmark = pytest.mark.django_db(transaction=True)


def shown_by_app(key: str, later: int = 0) -> str:
    """What an app shows that was told the key of the page, some times 30 seconds later."""
    return f"{TOTP(base64.b32decode(key.replace(' ', '')), drift=later).token():06}"


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_it_is_set_up_and_asked_for(visit: Visit, olga: User) -> None:
    page = visit("/trades/", olga)
    page.get_by_text("olga", exact=True).click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    key = page.locator("#key").inner_text()
    page.get_by_label("The six digits").fill("12345")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("six digits")
    page.get_by_label("The six digits").fill(shown_by_app(key))
    page.keyboard.press("Enter")
    codes = page.locator(".tl-codes li")
    expect(codes).to_have_count(CODES)
    recovery = codes.first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Of your recovery codes, 10 are left.")).to_be_visible()

    page = visit("/trades/?account=Sim101", None)
    log_in(page, "olga")
    page.get_by_label("Code").fill(shown_by_app(key, 1))
    page.keyboard.press("Enter")
    page.wait_for_url("**/trades/?account=Sim101")

    page = visit("/admin/", None)
    log_in(page, "olga")
    page.get_by_label("Code").fill(recovery.upper())
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def test_it_is_turned_off(visit: Visit, olga: User) -> None:
    with_second_factor(olga)
    page = visit(PAGE, olga)
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_text("is turned off")).to_be_visible()
    page = visit("/trades/", None)
    log_in(page, "olga")
    page.wait_for_url("**/trades/")


def test_nobody_is_shut_out(visit: Visit, olga: User) -> None:
    page = visit(PAGE, olga)
    found = barriers(page)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    found += barriers(page)
    key = page.locator("#key").inner_text()
    page.get_by_label("The six digits").fill("1")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += barriers(page)
    page.get_by_label("The six digits").fill(shown_by_app(key))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".tl-codes")).to_be_visible()
    found += barriers(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("It is on since")).to_be_visible()
    assert found + barriers(page) == []


def test_nobody_is_shut_out_from_logging_in(visit: Visit, olga: User) -> None:
    device = with_second_factor(olga)
    page = visit("/login/", None)
    log_in(page, "olga")
    expect(page.get_by_label("Code")).to_be_visible()
    found = barriers(page)
    page.get_by_label("Code").fill(wrong_for(device))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("check the clock of your phone")).to_be_visible()
    assert found + barriers(page) == []
    assert shown(device) not in page.content()
