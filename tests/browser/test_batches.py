"""The pages of batches as people use them: make one, watch it, cancel it, try it again."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, WebSocketRoute, expect

from batches.models import Batch, BatchTemplate
from batches.states import Status
from tests.batching import stage, started, work_off
from tests.browser.conftest import Visit, barriers
from tests.conftest import TakeIn, fill
from tests.conftest import file_of as fills
from trades.models import Account

DASHBOARD, HISTORY, NEW = reverse("batches"), reverse("batch-history"), reverse("batch-new")
PREVIEW = f"**{reverse('batch-preview')}"  # one that is left under way is a complaint of htmx
CSV = "Account,Instrument,Side,Quantity,Price\n" + "Sim101,MNQ 03-26,Buy,2,21350.25\n" * 3
BAD = "Nobody,MNQ 03-26,Buy,x,21350.25\n"

pytestmark = pytest.mark.django_db(transaction=True)


def bar_of(page: Page, batch: Batch) -> object:
    return page.locator(f'[data-batch="{batch.batch_uid}"] [role=progressbar]').first


def file_of(folder: Path, text: str) -> Path:
    path = folder / "monday.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("way", ["by WebSocket", "by asking"])
def test_a_bar_moves_until_the_end_is_told(visit: Visit, olga: User, way: str) -> None:
    batch = started(4)
    page = visit(DASHBOARD, olga)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    if way == "by asking":
        page.route_web_socket(re.compile("/batches/live/"), WebSocketRoute.close)
        page.reload()
    page.evaluate("window.isTheSame = true")
    bar = bar_of(page, batch)
    expect(bar).to_have_attribute("aria-valuenow", "0")
    for done, percent in ((1, "25"), (3, "75")):
        Batch.objects.update(status=Status.RUNNING, executed_trades=done, updated_at=timezone.now())
        expect(bar).to_have_attribute("aria-valuenow", percent)
    Batch.objects.update(executed_trades=0)
    work_off()
    expect(page.get_by_text("Monday has ended: all trades are executed.")).to_be_visible()
    expect(page.get_by_text("Nothing is being worked on.")).to_be_visible()
    assert page.evaluate("window.isTheSame")
    assert any("/batches/progress/" in url for url in asked) == (way == "by asking")
    asked.clear()
    page.clock.run_for(60_000)
    page.wait_for_timeout(300)
    assert [url for url in asked if "/batches/" in url] == []


def test_all_counts_of_a_page_move_together(visit: Visit, olga: User) -> None:
    batch = started(4, bad=1)
    page = visit(batch.get_absolute_url(), olga)
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("0 executed 1 failed 0 cancelled 4 to be done")
    page.route(f"**{batch.get_absolute_url()}", lambda route: None)  # the page is not renewed
    Batch.objects.update(executed_trades=2, failed_trades=2, updated_at=timezone.now())
    expect(outcome).to_contain_text("4 of 5, 2 failed")
    expect(outcome).to_contain_text("2 executed 2 failed 0 cancelled 1 to be done")


def test_a_file_is_previewed_made_and_watched(visit: Visit, olga: User, tmp_path: Path) -> None:
    Account.objects.create(name="Sim101")
    page = visit(NEW, olga)
    page.get_by_label("CSV file").set_input_files(file_of(tmp_path, CSV + BAD))
    expect(page.get_by_text("4 lines: 3 can be executed, 1 cannot")).to_be_visible()
    expect(page.get_by_text("'x' is not a number").first).to_be_visible()
    with page.expect_response(PREVIEW):
        page.get_by_label("Executor").select_option("paper")
    with page.expect_response(PREVIEW):
        page.get_by_label("Seed").fill("7")
        page.get_by_label("Seed").blur()
    page.get_by_label("Start it at once").check()
    page.get_by_role("button", name="Make the batch").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    batch = Batch.objects.get()
    assert (batch.executor, batch.executor_settings["seed"]) == ("paper", 7)
    page.evaluate("window.isTheSame = true")
    work_off()
    expect(page.locator("#outcome")).to_contain_text("Partial success")
    expect(page.locator("#live")).to_contain_text("some trades are executed, the rest failed")
    expect(page.locator("#trades")).to_contain_text("Executed 3")
    expect(page.locator("#about")).to_contain_text("Ended: partial success")
    assert page.evaluate("window.isTheSame")


def test_no_preview_stands_in_the_way_of_the_batch(
    visit: Visit, olga: User, tmp_path: Path, complaints: list[str]
) -> None:
    """A click while a preview is under way, with another one to come."""
    Account.objects.create(name="Sim101")
    page = visit(NEW, olga)
    page.get_by_label("CSV file").set_input_files(file_of(tmp_path, CSV))
    expect(page.locator("#counted")).to_be_visible()
    held = []
    page.route(PREVIEW, lambda route: held.append(route))  # the server is slow
    page.get_by_label("Priority").fill("3")
    with page.expect_request(PREVIEW):
        page.get_by_label("Priority").blur()
    page.get_by_label("At the same time").fill("2")
    page.get_by_role("button", name="Make the batch").click()
    expect(page.get_by_text("It is staged and waits to be started.")).to_be_visible()
    batch = Batch.objects.get()
    assert (batch.priority, batch.parallel) == (3, 2)
    assert {*complaints} <= {"htmx:afterRequest", "htmx:sendAbort"}  # of the preview that was left
    complaints.clear()


def test_a_batch_of_trades_that_were_chosen(visit: Visit, olga: User, take_in: TakeIn) -> None:
    take_in(fills(fill(), fill(ID="exec-2"), fill(ID="exec-3")))
    page = visit(reverse("trades"), olga)
    page.get_by_role("button", name="Batch of the chosen…").click()
    expect(page.get_by_text("Choose trades first")).to_be_visible()
    page.get_by_role("checkbox", name="Choose:").first.check()
    page.get_by_role("button", name="Batch of the chosen…").click()
    expect(page.get_by_text("what 1 chosen trade did")).to_be_visible()
    page.get_by_role("link", name="Leave it").click()
    page.get_by_label("Batch", exact=True).fill("77")
    page.get_by_label("Batch", exact=True).blur()
    expect(page.get_by_text("No trades fit these filters.")).to_be_visible()
    page.get_by_label("Batch", exact=True).fill("")
    page.get_by_label("Batch", exact=True).blur()
    page.get_by_role("link", name="Batch of all trades…").click()
    page.get_by_label("Name").fill("Again")
    page.get_by_role("button", name="Make the batch").click()
    expect(page.get_by_text("Again: 3 trades are staged.")).to_be_visible()
    assert Batch.objects.get().total_trades == 3


def test_columns_are_chosen_and_kept_as_a_template(
    visit: Visit, olga: User, tmp_path: Path
) -> None:
    Account.objects.create(name="Sim101")
    odd = file_of(tmp_path, CSV.replace("Account", "Konto"))
    page = visit(NEW, olga)
    page.get_by_label("CSV file").set_input_files(odd)
    expect(page.get_by_text("no column for Account")).to_be_visible()
    page.get_by_label("Column of Account").select_option("Konto")
    expect(page.get_by_text("3 lines: 3 can be executed")).to_be_visible()
    expect(page.get_by_label("Column of Account")).to_have_value("Konto")
    page.get_by_label("Keep this as a template named").fill("Odd files")
    page.get_by_role("button", name="Make the batch").click()
    expect(page.get_by_text("It is staged and waits to be started.")).to_be_visible()
    page = visit(reverse("batch-templates"), olga)
    page.get_by_role("link", name="Use Odd files").click()
    page.get_by_label("CSV file").set_input_files(odd)
    expect(page.get_by_text("3 lines: 3 can be executed")).to_be_visible()
    assert BatchTemplate.objects.get().columns["account"] == "Konto"


def test_a_batch_is_cancelled_tried_again_and_downloaded(visit: Visit, olga: User) -> None:
    batch = started(3)
    page = visit(batch.get_absolute_url(), olga)
    page.get_by_role("link", name="Cancel…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Its 3 trades will not be executed.")
    dialog.get_by_role("button", name="Cancel the batch").click()
    expect(page.locator("#outcome")).to_contain_text("3 cancelled")
    page.get_by_role("link", name="Retry…").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work_off()
    expect(page.locator("#outcome")).to_contain_text("Success")
    with page.expect_download() as download:
        page.get_by_role("link", name="Results as CSV").click()
    rows = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert sum(",executed," in row for row in rows) == 3


def test_the_history_is_filtered_without_a_reload(visit: Visit, vera: User) -> None:
    stage(1, name="First")
    started(1, name="Second")
    work_off()
    page = visit(HISTORY, vera)
    rows = page.locator("tr.tl-batch")
    expect(rows).to_have_count(2)
    page.get_by_label("Success", exact=True).check()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Second")
    expect(page).to_have_url(re.compile("status=success"))
    expect(page.get_by_role("link", name="New batch")).to_have_count(0)


def test_nobody_is_shut_out(visit: Visit, olga: User, tmp_path: Path) -> None:
    batch = started(3, bad=1)
    work_off()
    started(5, name="A name so long that it does not fit into a line of a narrow window at all")
    stage(2)
    template = BatchTemplate.objects.create(name="Usual").pk
    addresses = [DASHBOARD, HISTORY, batch.get_absolute_url(), reverse("batch-templates")]
    addresses += [
        reverse("batch-template", args=[template]),
        reverse("batch-retry", args=[batch.pk]),
    ]
    addresses += [reverse("batch-copy"), reverse("trades")]
    for address in [*addresses, NEW]:
        page = visit(address, olga)
        if address == NEW:
            page.get_by_label("CSV file").set_input_files(file_of(tmp_path, CSV + BAD))
            expect(page.locator("#counted")).to_be_visible()
        assert barriers(page) == []
