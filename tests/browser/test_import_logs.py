"""The page of imports as people use it: with the mouse, the keyboard alone, a narrow window, and
with a server that does not answer."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from imports.models import ImportExecutionLog
from imports.states import Status
from tests.browser.conftest import Visit, barriers
from tests.conftest import TakeIn, file_of, fill, work_off
from trades.models import Trade

LIST = reverse("import-logs")
LONG = file_of(*(fill(ID=f"exec-{number}") for number in range(60)), fill(ID="bad", Quantity="abc"))
BEYOND = """() => {
    const right = (one) => one.getBoundingClientRect().right
    const panel = document.querySelector("#imports")
    return [...panel.querySelectorAll(".tl-button, table")]
        .filter((one) => right(one) > right(panel))
        .map((one) => `${one.className} ${one.textContent.trim().slice(0, 40)}`)
}"""
EVERY = 10_000  # as static/imports/list.js looks at the server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log(take_in: TakeIn) -> ImportExecutionLog:
    """An import of which a line failed, and beside it one that failed as a whole."""
    take_in("undefined", name="empty.csv")
    return take_in(LONG, name="long.csv")


def row(page: Page, log: ImportExecutionLog) -> object:
    return page.locator(f"#import-{log.pk}")


def test_filters_change_the_list_and_the_address(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, vera)
    rows = page.locator("tr.tl-import")
    expect(rows).to_have_count(2)
    page.get_by_label("Status").select_option("failed")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/import-logs/\?status=failed&per_page=25$"))
    page.reload()
    expect(rows).to_have_count(1)
    page.go_back()
    expect(rows).to_have_count(2)
    page.get_by_label("File name").fill("long")
    page.keyboard.press("Enter")
    page.clock.run_for(100)
    expect(rows).to_have_count(1)


def test_a_filter_that_cannot_be_used_says_so(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    page = visit(f"{LIST}?status=broken", vera)
    expect(page.get_by_text("These filters cannot be used")).to_be_visible()
    page.get_by_role("link", name="Reset the filters").click()
    expect(page.locator("tr.tl-import")).to_have_count(2)


def test_a_row_opens_into_tabs_which_a_reload_keeps(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, vera)
    row(page, log).locator("td").nth(4).click()
    more = page.locator(f"#more-{log.pk}")
    expect(more.get_by_text("Taken in")).to_have_count(50)
    more.get_by_role("link", name="Later lines").click()
    expect(more.get_by_text("Taken in")).to_have_count(10)
    more.get_by_role("link", name="Performance").click()
    expect(more.get_by_text("Rows per second")).to_be_visible()
    more.get_by_role("link", name="Validation errors").click()
    expect(more.get_by_text("'abc' is not a number")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"open={log.pk}\.errors$"))
    page.reload()
    expect(more.get_by_text("'abc' is not a number")).to_be_visible()
    row(page, log).locator("td").nth(4).click()
    expect(more).to_have_count(0)
    expect(page).not_to_have_url(re.compile("open"))


def test_the_count_of_errors_leads_to_them(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, vera)
    row(page, log).get_by_role("link", name="1 error").click()
    expect(page.get_by_text("'abc' is not a number")).to_be_visible()


def test_the_keyboard_is_enough(visit: Visit, vera: User, log: ImportExecutionLog) -> None:
    page = visit(LIST, vera)
    press_until_at(page, f"more-of-{log.pk}")
    page.keyboard.press("Enter")
    expect(page.locator(f"#more-{log.pk}").get_by_text("Taken in")).to_have_count(50)
    press_until_at(page, f"errors-{log.pk}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("'abc' is not a number")).to_be_visible()
    expect(page.locator(f"#errors-{log.pk}")).to_be_focused()
    press_until_at(page, f"more-of-{log.pk}", "Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator(f"#more-{log.pk}")).to_have_count(0)


def press_until_at(page: Page, element: str, key: str = "Tab") -> None:
    for _ in range(80):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.id") == element:
            return
    raise AssertionError(f"{key} does not lead to {element}")


def test_pages_follow_one_another(visit: Visit, vera: User) -> None:
    for number in range(30):
        ImportExecutionLog.objects.create(file_name=f"{number}.csv", status=Status.SUCCESS)
    page = visit(LIST, vera)
    page.get_by_role("link", name="Page 2").click()
    expect(page.get_by_text("26–30 of 30 imports")).to_be_visible()
    expect(page).to_have_url(re.compile("page=2"))
    page.get_by_role("link", name="File", exact=True).click()
    expect(page.locator("tr.tl-import").first).to_contain_text("9.csv")


def test_chosen_files_are_sent_and_show_up(visit: Visit, olga: User, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(file_of(fill()))
    bad.write_text(file_of(fill(Quantity="abc")))
    page = visit(LIST, olga)
    expect(page.get_by_text("No imports yet.")).to_be_visible()
    page.locator("#id_files").set_input_files([good, bad])
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("received, will be imported")).to_have_count(2)
    expect(page.locator("tr.tl-import")).to_have_count(2)
    work_off()
    page.clock.fast_forward(EVERY)
    expect(page.locator("tr.tl-import", has_text="good.csv")).to_contain_text("Success")
    expect(page.locator("tr.tl-is-failed")).to_contain_text("bad.csv")
    expect(page.get_by_text("received, will be imported")).to_have_count(0)
    expect(page.locator("#sent li", has_text="bad.csv")).to_contain_text("1 of 1 lines failed")


def test_a_file_is_dropped_onto_the_page(visit: Visit, olga: User) -> None:
    page = visit(LIST, olga)
    drop(page, "dropped.csv", file_of(fill()))
    expect(page.locator("tr.tl-import")).to_contain_text("dropped.csv")
    assert ImportExecutionLog.objects.get().created_by == olga


def test_what_a_stranger_wrote_stays_text(visit: Visit, olga: User) -> None:
    evil = "<img src=x onerror=document.title='evil'>"
    page = visit(LIST, olga)
    drop(page, f"{evil}.csv", file_of(fill(Quantity=evil), fill(Name=evil)))
    expect(page.locator("#sent")).to_contain_text(f"{evil}.csv received, will be imported")
    work_off()
    page.clock.fast_forward(EVERY)
    page.get_by_role("link", name="1 error").click()
    expect(page.locator(".tl-opened")).to_contain_text(evil)
    page.locator(".tl-opened").get_by_role("link", name="Row logs").click()
    expect(page.locator(".tl-opened")).to_contain_text("Taken in")
    expect(page.locator(".tl-opened details").last).to_contain_text(evil)
    assert "evil" not in page.title()
    assert page.locator("img[src=x]").count() == 0


def drop(page: Page, name: str, text: str) -> None:
    files = page.evaluate_handle(
        """([name, text]) => {
            const files = new DataTransfer();
            files.items.add(new File([text], name));
            return files;
        }""",
        [name, text],
    )
    page.dispatch_event("#upload", "drop", {"dataTransfer": files})


def test_what_cannot_be_sent_is_said_and_sent_again(
    visit: Visit, olga: User, complaints: list[str]
) -> None:
    page = visit(LIST, olga)
    page.get_by_text("Account, format, zone of the times").click()
    page.get_by_label("Timezone").fill("Mars/Olympus")
    drop(page, "dropped.csv", file_of(fill()))
    expect(page.locator("#sent")).to_contain_text("'Mars/Olympus' is no time zone")
    page.get_by_label("Timezone").fill("America/Chicago")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#sent")).to_contain_text("received, will be imported")
    complaints.clear()  # of the answer 400


def test_a_refresh_keeps_what_is_open_and_moves_the_bar(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    running = ImportExecutionLog.objects.create(
        file_name="runs.csv", status=Status.RUNNING, line_count=101, cursor=10
    )
    page = visit(LIST, vera)
    row(page, log).get_by_role("link", name="1 error").click()
    details = page.locator(f"#more-{log.pk}")
    expect(details.get_by_text("'abc' is not a number")).to_be_visible()
    page.locator(f"#performance-{log.pk}").focus()
    bar = row(page, running).locator("progress")
    expect(bar).to_have_attribute("value", "10")
    ImportExecutionLog.objects.filter(pk=running.pk).update(cursor=60)
    ImportExecutionLog.objects.create(file_name="new.csv", status=Status.QUEUED)
    page.clock.fast_forward(EVERY)
    expect(bar).to_have_attribute("value", "60")
    expect(page.locator("tr.tl-import").first).to_contain_text("new.csv")
    expect(details.get_by_text("'abc' is not a number")).to_be_visible()
    expect(page.locator(f"#performance-{log.pk}")).to_be_focused()


def test_a_server_that_fails_is_never_an_empty_list(
    visit: Visit, vera: User, log: ImportExecutionLog, complaints: list[str]
) -> None:
    page = visit(LIST, vera)
    page.route("**/import-logs/**", lambda route: route.abort())
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_role("alert")).to_contain_text("Could not load this")
    expect(page.locator("tr.tl-import")).to_have_count(2)
    row(page, log).locator(".tl-expander").click()
    expect(page.locator(f"#more-{log.pk}")).to_contain_text("Could not load this")
    page.clock.fast_forward(EVERY)
    expect(page.get_by_role("alert")).to_contain_text("not up to date")
    page.unroute("**/import-logs/**")
    page.locator(f"#more-{log.pk}").get_by_role("button", name="Try again").click()
    expect(page.locator(f"#more-{log.pk}").get_by_text("Taken in")).to_have_count(50)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_text("")
    complaints.clear()  # of what was not to be reached


def test_an_import_is_retried_cancelled_and_downloaded_from_the_list(
    visit: Visit, adam: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, adam)
    row(page, log).get_by_role("button", name="Retry").click()
    expect(page).to_have_url(re.compile(r"/import-logs/\d+/$"))
    new = ImportExecutionLog.objects.get(retry_of=log)
    expect(page).to_have_url(re.compile(f"/import-logs/{new.pk}/$"))
    page.goto(page.url.removesuffix(f"{new.pk}/"))
    row(page, new).get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("was cancelled", exact=False).first).to_be_visible()
    page.go_back()
    menu = row(page, log).locator("details")
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    menu.locator("summary").click()
    with page.expect_download() as started:
        row(page, log).get_by_role("link", name="Failed lines as CSV").click()
    assert "abc" in started.value.path().read_text()


def test_a_rollback_is_confirmed_over_the_list(
    visit: Visit, adam: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, adam)
    button = row(page, log).get_by_role("link", name="Roll back")
    button.focus()
    page.keyboard.press("Enter")
    modal = page.get_by_role("dialog")
    expect(modal).to_contain_text("This deletes 60 trades")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(modal).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    modal.get_by_label("Yes, delete these trades").check()
    modal.get_by_role("button", name="Roll back").click()
    expect(page).to_have_url(re.compile(f"/import-logs/{log.pk}/$"))
    log.refresh_from_db()
    assert log.status == Status.ROLLING_BACK
    work_off()
    assert not Trade.objects.exists()


def test_without_scripts_every_link_is_a_page(
    visit: Visit, vera: User, log: ImportExecutionLog
) -> None:
    page = visit(LIST, vera, java_script_enabled=False)
    page.get_by_label("Status").select_option("partial")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tr.tl-import")).to_have_count(1)
    page.get_by_role("link", name="1 error").click()
    expect(page.get_by_text("'abc' is not a number")).to_be_visible()
    page.get_by_role("link", name="All imports").click()
    expect(page.locator("tr.tl-import")).to_have_count(2)


def test_nobody_is_shut_out(visit: Visit, adam: User, log: ImportExecutionLog) -> None:
    page = visit(f"{LIST}?open={log.pk}.errors", adam)
    expect(page.get_by_text("'abc' is not a number")).to_be_visible()
    page.get_by_text("As a table").click()
    page.get_by_text("Account, format, zone of the times").click()
    assert barriers(page) == []


@pytest.mark.parametrize("width", [1100, 1280, 1400])
def test_no_button_leaves_the_panel(visit: Visit, adam: User, take_in: TakeIn, width: int) -> None:
    bad = fill(ID="bad", Quantity="a" * 300, Name="b" * 300)
    log = take_in(file_of(fill(), bad), name="fills-of-the-desk-2026.csv")
    ImportExecutionLog.objects.filter(pk=log.pk).update(
        total_rows=1_234_567,
        success_rows=1_200_000,
        skipped_rows=34_566,
        processing_time_ms=754_000,
        affected_accounts=["DEMO1234567-ACCOUNT"],
    )
    page = visit(LIST, adam, viewport={"width": width, "height": 900})
    expect(row(page, log).locator(".tl-actions .tl-button")).to_have_count(4)
    assert page.evaluate(BEYOND) == []
    for tab, words in (("rows", "Taken in"), ("errors", "is not a number")):
        page.goto(page.url.partition("?")[0] + f"?open={log.pk}.{tab}")
        expect(page.locator(".tl-opened").get_by_text(words).first).to_be_visible()
        assert page.evaluate(BEYOND) == []


def test_a_viewer_logs_in_and_is_led_to_the_imports(visit: Visit, vera: User) -> None:
    vera.is_staff = False
    vera.save()
    page = visit(LIST, None)
    assert barriers(page) == []
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("No imports yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Import logs")).to_be_visible()
    expect(page.get_by_role("link", name="Ledger")).to_have_count(0)
