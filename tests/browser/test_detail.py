"""Mending an import as people do: with the mouse, by the keyboard alone, in the dark and narrow."""

import csv
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from imports.models import ImportExecutionLog
from tests.browser.conftest import Visit, barriers
from tests.conftest import TakeIn, file_of, fill, work_off
from trades.models import Trade

HOSTILE = '"=HYPERLINK(""http://evil.example"")<script>document.title=1</script>\u202e"'
PARTIAL = file_of(fill(), fill(ID="b", Quantity="abc", Name=HOSTILE), fill(ID="c", Price="x"))

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log(take_in: TakeIn) -> ImportExecutionLog:
    """One line taken in, two failed."""
    return take_in(PARTIAL, name="partial.csv")


def press_until(page: Page, key: str, name: str) -> None:
    """Go through the page by a key until what is so called has the focus."""
    for _ in range(80):
        page.keyboard.press(key)
        if name in page.evaluate("document.activeElement.innerText ?? ''"):
            return
    pytest.fail(f"{name} cannot be reached by the keyboard")


def test_a_line_is_corrected_where_it_stands(
    visit: Visit, olga: User, log: ImportExecutionLog
) -> None:
    page = visit(log.get_absolute_url(), olga)
    page.get_by_role("link", name="Correct line 3").click()
    quantity = page.get_by_label("Quantity")
    expect(quantity).to_have_value("abc")
    expect(quantity).to_have_attribute("aria-invalid", "true")
    quantity.fill("two")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("'two' is not a number")).to_be_visible()
    quantity.fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Line 3 was corrected and taken in.")).to_be_visible()
    expect(page.locator("#line-3")).to_contain_text("Corrected by")
    assert Trade.objects.get(execution_id="b").name.startswith('=HYPERLINK("http')


def test_the_failed_lines_go_out_and_come_back(
    visit: Visit, olga: User, log: ImportExecutionLog, tmp_path: Path
) -> None:
    page = visit(log.get_absolute_url(), olga)
    with page.expect_download() as download:
        page.get_by_role("link", name="Failed lines as CSV").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    text = file.read_text(encoding="utf-8-sig")
    header, *rows = csv.reader(text.splitlines())
    assert (header[-1], rows[0][9][:2]) == ("error", "'=")
    file.write_text(text.replace(",abc,", ",1,").replace(",x,", ",21350.5,"), encoding="utf-8")
    page.get_by_role("link", name="Retry…").click()
    page.get_by_label("Corrected file").set_input_files(file)
    page.get_by_role("button", name="Import the corrected file").click()
    expect(page.get_by_text("will be imported.")).to_be_visible()
    work_off()
    page.clock.run_for(3_000)
    expect(page.get_by_text("Every line was taken in.")).to_be_visible()
    assert Trade.objects.count() == 3


def test_the_stored_file_is_retried(visit: Visit, olga: User, log: ImportExecutionLog) -> None:
    page = visit(log.get_absolute_url(), olga)
    page.get_by_role("link", name="Retry…").click()
    page.get_by_role("button", name="Retry the stored file").click()
    expect(page.get_by_text("will be imported again")).to_be_visible()
    work_off()
    page.clock.run_for(3_000)
    expect(page.get_by_text("1 known", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Retries and corrections")).to_be_visible()


def test_an_import_is_rolled_back_by_the_keyboard_alone(
    visit: Visit, adam: User, log: ImportExecutionLog
) -> None:
    page = visit(log.get_absolute_url(), adam)
    modal = page.get_by_role("dialog")
    press_until(page, "Tab", "Roll back…")
    page.keyboard.press("Enter")
    expect(modal).to_be_visible()
    page.keyboard.press("Escape")
    expect(modal).to_be_hidden()
    assert "Roll back…" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(modal.get_by_text("This deletes 1 trade of Sim101.")).to_be_visible()
    expect(page.get_by_label("Yes, delete these trades")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is being rolled back.")).to_be_visible()
    work_off()
    page.clock.run_for(3_000)
    expect(page.get_by_text("Rolled back: the 1 trade")).to_be_visible()
    assert not Trade.objects.exists()


def test_the_modal_closes_by_its_own_button(
    visit: Visit, adam: User, log: ImportExecutionLog
) -> None:
    page = visit(log.get_absolute_url(), adam)
    page.get_by_role("link", name="Roll back…").click()
    page.get_by_role("link", name="Keep the trades").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile(f"{log.get_absolute_url()}$"))


def test_without_scripts_a_page_asks_the_same(
    visit: Visit, adam: User, log: ImportExecutionLog
) -> None:
    page = visit(log.get_absolute_url(), adam, java_script_enabled=False)
    page.get_by_role("link", name="Roll back…").click()
    page.get_by_label("Yes, delete these trades").check()
    page.get_by_role("button", name="Roll back").click()
    work_off()
    log.refresh_from_db()
    assert log.status == "rolled_back"


def test_what_is_counted_apart_comes_by_itself(
    visit: Visit, vera: User, log: ImportExecutionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.views.COUNTED_AT_ONCE", 1)
    page = visit(log.get_absolute_url(), vera)
    expect(page.get_by_role("heading", name="Problems")).to_be_visible()


def test_nobody_is_shut_out(visit: Visit, adam: User, log: ImportExecutionLog) -> None:
    doors = [("import-retry", [log.pk]), ("import-correct", [log.pk, 3])]
    for address in [log.get_absolute_url(), *(reverse(name, args=args) for name, args in doors)]:
        page = visit(address, adam)
        assert barriers(page) == []
    page = visit(log.get_absolute_url(), adam)
    page.get_by_role("link", name="Roll back…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert barriers(page) == []
