"""Looks at the pages of a server with Chromium, for bin/screenshots."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
NAMES = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 150_000  # bytes of a picture
WIDTH = 1200


@dataclass(frozen=True)
class Picture:
    """Of an address, or of where `click` leads from there; of so much of the page."""

    name: str
    address: str
    click: str = ""
    height: int = 760
    scheme: str = "light"


PICTURES = (
    Picture("job-logs", "/", height=520),
    Picture("import-logs", "/import-logs/", height=900),
    Picture("import-logs-dark", "/import-logs/", height=900, scheme="dark"),
    Picture("import", "/import-logs/2/", height=900),
    Picture("correct", "/import-logs/2/?rows=failed", click="a[href*='/correct/']"),
    Picture("rollback", "/import-logs/2/rollback/", height=380),
    Picture("batches", "/batches/history/"),
    Picture("batch", "/batches/1/", height=900),
    Picture("open-orders", "/open-orders/", height=640),
    Picture("trades", "/trades/", height=640),
    Picture("positions", "/positions/", height=640),
    Picture("dashboard", "/admin/", height=900),
    Picture("scheduler", "/scheduler/"),
)


def main(server: str) -> None:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("No Chromium is found (on Debian and Ubuntu: apt install chromium).")
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium starts without its sandbox only.
        arguments = ["--disable-gpu", *(["--no-sandbox"] if is_root() else [])]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        pages = {scheme: logged_in(browser, server, scheme) for scheme in ("light", "dark")}
        for picture in PICTURES:
            take(pages[picture.scheme], server, picture)
        browser.close()


def is_root() -> bool:
    return getattr(os, "geteuid", lambda: 1)() == 0


def logged_in(browser: Browser, server: str, scheme: str) -> Page:
    page = browser.new_page(color_scheme=scheme, reduced_motion="reduce")
    page.set_default_timeout(120_000)
    page.goto(f"{server}/login/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", os.environ["TRADELOG_ADMIN_PASSWORD"])
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{server}/")
    return page


def take(page: Page, server: str, picture: Picture) -> None:
    page.set_viewport_size({"width": WIDTH, "height": picture.height})
    page.goto(server + picture.address, wait_until="load")
    if picture.click:
        page.locator(picture.click).first.click()
        page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1_000)  # what is asked for apart is there, and has stopped moving
    path = IMAGES / f"{picture.name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes", flush=True)
    if size > LARGEST:
        sys.exit(f"{path.name} has more than {LARGEST:,} bytes; show less of the page.")


if __name__ == "__main__":
    main(sys.argv[1])
