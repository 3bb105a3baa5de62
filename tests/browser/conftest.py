"""A real browser before a real server.

Where there is no Chromium these tests are skipped, but where CI is "true" that is a failure.
"""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from uvicorn import Config, Server

from tests.processes import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome")
NARROW = {"width": 400, "height": 900}
WIDE = {"width": 1440, "height": 900}

Visit = Callable[..., Page]

# Colours fade in, and other things never stand still.
FADED = """Promise.allSettled(document.getAnimations()
    .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
    .map(one => one.finished)).then(() => null)"""
expect.set_options(timeout=1_000 * PATIENCE)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing = "no Chromium is found (on Debian and Ubuntu: apt install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    # Playwright runs its loop in this thread, where Django would not let us ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def server(django_db_setup: None) -> Iterator[str]:
    """The server that users have, in a thread of the tests; the address where it answers.

    pytest-django's own is a WSGI server, which does not stream.
    """
    uvicorn = Server(Config("tradelog.asgi:application", lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as place:
        thread = threading.Thread(target=uvicorn.run, args=([place],))
        thread.start()
        yield "http://{}:{}".format(*place.getsockname())
        uvicorn.should_exit = True
        thread.join()


@pytest.fixture(scope="package")
def windows(browser: Browser) -> dict[str, BrowserContext]:
    """One of each kind, so that it keeps the shell's scripts and styles for the next test."""
    return {}


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained of. A test that wants trouble empties it."""
    return []


@pytest.fixture
def visit(
    browser: Browser,
    windows: dict[str, BrowserContext],
    server: str,
    transactional_db: None,
    complaints: list[str],
) -> Iterator[Visit]:
    """Open an address as a user, in a window of some kind; no complaint of the browser is left."""
    pages: list[Page] = []

    def go(address: str, user: User | None, **kind: object) -> Page:
        if repr(kind) not in windows:
            windows[repr(kind)] = browser.new_context(**{"viewport": WIDE} | kind)
        window = windows[repr(kind)]
        if user:  # in place of who was there: pages still open never ask as nobody
            window.add_cookies([session_of(user, server)])
        else:
            window.clear_cookies()
        pages.append(page := window.new_page())
        page.set_default_timeout(1_000 * PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.clock.install()
        page.goto(server + address)
        return page

    yield go
    for page in pages:
        page.close()
    assert not complaints


def session_of(user: User, address: str) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": address}


def barriers(page: Page) -> list[str]:
    """What would shut people out of a page, as far as a program can tell; serious things only.

    It is looked at wide and narrow, and its colours also in the dark.
    """
    found = barriers_as_it_is(page) + what_is_too_wide(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('dark')")  # as the shell does at first
    found += barriers_as_it_is(page, "color-contrast")
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.set_viewport_size(NARROW)
    found += barriers_as_it_is(page) + what_is_too_wide(page)
    page.set_viewport_size(WIDE)
    return found


def what_is_too_wide(page: Page) -> list[str]:
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [f"{page.url} is {wide} wide in a window of {window}"] if wide > window else []


def barriers_as_it_is(page: Page, *rules: str) -> list[str]:
    page.evaluate(FADED)
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"]} | only).response["violations"]
    return [
        f"{page.url}: {one['id']}: {node['html'][:300]} ({node['failureSummary']})"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
