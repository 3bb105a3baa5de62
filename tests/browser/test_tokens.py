"""The page of one's own tokens as people use it."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from knox.models import AuthToken
from playwright.sync_api import expect

from tests.browser.conftest import Visit, barriers

HERE = reverse("tokens")

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_is_made_by_the_keyboard_copied_and_revoked(visit: Visit, vera: User) -> None:
    page = visit("/", vera, permissions=["clipboard-read", "clipboard-write"])
    page.goto(page.url.rstrip("/") + HERE)
    page.get_by_label("Days until it ends").fill("7")
    page.keyboard.press("Enter")
    secret = page.get_by_label("Keep it now")
    expect(secret).to_be_focused()
    expect(secret).to_have_value(re.compile("^tl_"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret.input_value()
    assert barriers(page) == []
    page.get_by_role("link", name="I have kept it").click()
    page.get_by_role("link", name="Revoke…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("No tokens yet.")).to_be_visible()


def test_neither_reload_nor_back_makes_another(visit: Visit, vera: User) -> None:
    page = visit(HERE, vera)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Keep it now")).to_be_visible()
    page.reload()
    expect(page.get_by_text("no other was made")).to_be_visible()
    page.go_back()
    page.go_forward()
    expect(page.get_by_label("Keep it now")).to_have_count(0)
    assert AuthToken.objects.count() == 1


def test_nobody_is_shut_out(visit: Visit, vera: User) -> None:
    page = visit(HERE, vera)
    assert barriers(page) == []
    key = AuthToken.objects.create(vera)[0].token_key
    for address in (HERE, reverse("token-revoke", args=[key])):
        assert barriers(visit(address, vera)) == []
