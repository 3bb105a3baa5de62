"""Job logs and the scheduler as people use them: a job that writes while one looks, and buttons."""

import logging
import re
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from playwright.sync_api import Page, expect

from joblogs.models import JobLog
from joblogs.running import run_job, start
from joblogs.schedules import place_schedules
from joblogs.states import Level, Status, Trigger
from tests.browser.conftest import Visit, barriers
from tests.browser.test_import_logs import press_until_at
from tests.processes import PATIENCE
from tests.test_joblog_pages import some
from tests.test_joblogs_admin import write

LIST, SCHEDULER = reverse("job-logs"), reverse("scheduler")
SECOND = 1_100  # as the page of a job asks what is new
EVERY = 5_100  # as a list asks

pytestmark = pytest.mark.django_db(transaction=True)


class Talker:
    """A job of its own thread that says what it is told to, and ends when it is told to."""

    def __init__(self) -> None:
        self.log = start("sync", trigger=Trigger.MANUAL)
        self.words: list[str] = []
        self.go_on = threading.Event()
        self.is_over = False
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            run_job(self.log, self.work)
        finally:
            connection.close()

    def work(self) -> dict[str, object]:
        while not self.is_over:
            self.go_on.wait()
            self.go_on.clear()
            while self.words:
                logging.getLogger("joblogs.test").info(self.words.pop(0))
        return {"records": 1_200}

    def say(self, *words: str, is_last: bool = False) -> None:
        self.words += words
        self.is_over = is_last
        self.go_on.set()


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker()
    yield talker
    talker.say(is_last=True)
    if talker.thread.ident:
        talker.thread.join()


def sees(page: Page, words: str) -> None:
    """The words come up by themselves, as time goes by."""
    for _ in range(10 * PATIENCE):
        page.clock.run_for(SECOND)
        page.wait_for_timeout(100)
        if page.get_by_text(words).count():
            return
    raise AssertionError(f"{words} does not come up")


def test_lines_come_up_while_the_job_writes_them(visit: Visit, vera: User, talker: Talker) -> None:
    page = visit(talker.log.get_absolute_url(), vera)
    page.evaluate("window.isTheSame = true")
    expect(page.locator("#outcome")).to_contain_text("New")
    expect(page.get_by_text("No lines yet.")).to_be_visible()
    talker.thread.start()
    talker.say("Connecting")
    sees(page, "Connecting")
    expect(page.locator("#outcome")).to_contain_text("Processing")
    talker.say("Batch 1/2 imported (500 records)", "<b>Batch 2/2</b>")
    sees(page, "<b>Batch 2/2</b>")
    talker.say(is_last=True)
    sees(page, "records 1,200")
    expect(page.locator("#outcome")).to_contain_text("Success")
    expect(page.locator(".tl-waiting")).to_have_count(0)
    lines = page.locator(".tl-terminal li").all_inner_texts()
    assert [re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}\s+(.*)", line)[1] for line in lines] == [
        "Connecting",
        "Batch 1/2 imported (500 records)",
        "<b>Batch 2/2</b>",
    ]
    assert page.evaluate("window.isTheSame")


def test_the_newest_line_stays_in_view(visit: Visit, vera: User) -> None:
    (log,) = some(1, status=Status.PROCESSING, heartbeat_at=timezone.now())
    write(log, *(f"line {number}" for number in range(150)))
    page = visit(log.get_absolute_url(), vera)
    expect(page.get_by_text("line 149")).to_be_in_viewport()
    write(log, *(f"line {number}" for number in range(150, 190)))
    sees(page, "line 189")
    expect(page.get_by_text("line 189")).to_be_in_viewport()
    write(log, *(f"line {number}" for number in range(190, 500)))
    sees(page, "line 499")
    expect(page.locator(".tl-terminal time")).to_have_count(200)
    expect(page.get_by_role("link", name="Older")).to_be_visible()


def test_a_server_that_is_away_for_a_while_costs_nothing(
    visit: Visit, vera: User, complaints: list[str]
) -> None:
    (log,) = some(1, status=Status.PROCESSING, heartbeat_at=timezone.now())
    page = visit(log.get_absolute_url(), vera)
    page.route("**/lines/**", lambda route: route.abort())
    write(log, "while it was away")
    page.clock.run_for(SECOND)
    page.wait_for_timeout(100)
    page.unroute("**/lines/**")
    sees(page, "while it was away")
    complaints.clear()  # of what was not to be reached


def test_filters_pages_and_the_way_back(visit: Visit, vera: User) -> None:
    some(60, status=Status.ERROR)
    page = visit(LIST, vera)
    rows = page.locator("#job-logs tbody tr")
    expect(rows).to_have_count(25)
    page.get_by_label("Status").select_option("success")
    expect(page.get_by_text("No job logs fit these filters.")).to_be_visible()
    page.get_by_label("Status").select_option("error")
    page.get_by_role("link", name="Page 3").click()
    expect(rows).to_have_count(10)
    first = rows.first.text_content().split()  # how it is laid out may come later
    rows.first.get_by_role("link").click()
    expect(page.get_by_text("This job wrote no lines.")).to_be_visible()
    page.locator(".tl-back a").click()
    expect(rows).to_have_count(10)
    assert rows.first.text_content().split() == first
    expect(page).to_have_url(re.compile(r"/\?status=error&page=3$"))
    page.reload()
    expect(rows).to_have_count(10)


def test_the_list_keeps_up_to_date(visit: Visit, vera: User) -> None:
    (log,) = some(1, status=Status.PROCESSING, started_at=timezone.now())
    page = visit(LIST, vera)
    row = page.locator(f"#job-log-{log.pk}")
    expect(row).to_contain_text("Processing")
    JobLog.objects.update(status=Status.SUCCESS, finished_at=timezone.now())
    page.clock.run_for(EVERY)
    expect(row).to_contain_text("Success")
    page.get_by_label("Job", exact=True).select_option("sync")
    expect(page).to_have_url(re.compile(r"\?job=sync$"))
    JobLog.objects.update(status=Status.ERROR, error="OSError: gone")
    page.clock.run_for(EVERY)
    expect(row).to_contain_text("OSError: gone")


def test_a_list_that_cannot_be_loaded_says_so(
    visit: Visit, vera: User, complaints: list[str]
) -> None:
    some(3)
    page = visit(LIST, vera)
    page.route("**/?status=*", lambda route: route.abort())
    page.get_by_label("Status").select_option("error")
    page.clock.run_for(100)
    expect(page.get_by_role("alert")).to_contain_text("Could not load this")
    expect(page.locator("#job-logs tbody tr")).to_have_count(3)
    page.unroute("**/?status=*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("No job logs fit these filters.")).to_be_visible()
    complaints.clear()  # of what was not to be reached


# --- The scheduler


def test_a_job_is_run_paused_and_resumed(visit: Visit, adam: User) -> None:
    place_schedules()
    page = visit(SCHEDULER, adam)
    row = page.locator("#schedule-scan_inbox")
    expect(page.get_by_text("Nothing works on the queue")).to_be_visible()
    press_until_at(page, "pause-scan_inbox")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("Paused")
    assert Schedule.objects.get(name="scan_inbox").repeats == 0
    row.get_by_role("button", name="Resume").click()
    expect(row).not_to_contain_text("Paused")
    row.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("scan_inbox will run as soon as a worker is free.")).to_be_visible()
    expect(row).to_contain_text("New")
    expect(row.get_by_role("button", name="Run now")).to_be_disabled()
    log = JobLog.objects.get()
    work = partial(dict, taken_in=7)
    run_job(log, work)
    page.locator("body").click(position={"x": 5, "y": 5})
    page.clock.run_for(EVERY)
    expect(row).to_contain_text("taken in 7")
    row.get_by_role("link", name="scan_inbox").click()
    expect(page.locator("#job-logs tbody tr")).to_have_count(1)


def test_the_buttons_of_a_schedule_stand_side_by_side(visit: Visit, adam: User) -> None:
    place_schedules()
    some(1, job="scan_inbox", status=Status.ERROR, error="Something is wrong. " * 9)
    page = visit(SCHEDULER, adam, viewport={"width": 1280, "height": 800})
    buttons = page.locator("#schedule-scan_inbox button").all()
    run, pause = (button.bounding_box() for button in buttons)
    assert run["y"] == pause["y"]
    assert page.locator("#schedules").evaluate("it => it.scrollWidth - it.clientWidth") == 0


def test_without_scripts_every_page_is_there(visit: Visit, adam: User) -> None:
    place_schedules()
    (log,) = some(1, status=Status.SUCCESS)
    write(log, "a line")
    page = visit(LIST, adam, java_script_enabled=False)
    page.get_by_label("Status").select_option("success")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=log.name).click()
    expect(page.get_by_text("a line")).to_be_visible()
    page.get_by_role("link", name="Scheduler").click()
    page.get_by_role("button", name="Pause scan_inbox").click()
    expect(page.locator("#schedule-scan_inbox")).to_contain_text("Paused")


def test_nobody_is_shut_out(visit: Visit, adam: User) -> None:
    place_schedules()
    for status in Status:
        some(1, status=status, job=status, name=f"of {status}", heartbeat_at=timezone.now())
    log = JobLog.objects.get(status=Status.PROCESSING)
    write(log, "a line " * 40)
    write(log, "a warning", level=Level.WARNING)
    write(log, "an error", level=Level.ERROR)
    for address in (LIST, log.get_absolute_url(), SCHEDULER):
        page = visit(address, adam)
        assert barriers(page) == []
