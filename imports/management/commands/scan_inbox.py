"""manage.py scan_inbox: take in what is in the inbox, once or for as long as it runs."""

import argparse
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import Error, close_old_connections

from imports.console import run_aloud
from imports.inbox import Scan, scan
from imports.inboxfolders import Folders, InboxUnusable
from joblogs.interrupts import heeding_ctrl_c
from joblogs.states import Trigger

logger = logging.getLogger("imports.inbox")

EVERY = 10  # seconds between two scans


class Command(BaseCommand):
    help = (
        "Take in the files in the inbox. Needs no worker. Exit status 1 if a file failed. "
        "docs/importing.md says which files are taken, and when."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--watch", action="store_true", help="scan until Ctrl-C")
        parser.add_argument(
            "--every",
            type=seconds,
            default=EVERY,
            metavar="SECONDS",
            help=f"between two scans of --watch (default {EVERY})",
        )

    def handle(self, **options: Any) -> None:
        with lines_to(self.stdout, options["verbosity"]):
            if options["watch"]:
                self.watch(options["every"])
            else:
                self.scan_once()

    def scan_once(self) -> None:
        try:
            counts = self.scan()
        except (InboxUnusable, Error) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(in_words(counts))
        if counts.failed:
            raise CommandError(f"{counts.failed:,} failed.")

    def watch(self, pause: float) -> None:
        """Scan again and again. What does not work now is told and tried again."""
        try:
            logger.info("Watching %s (Ctrl-C ends it)", Folders().inbox)
            while True:
                try:
                    with heeding_ctrl_c():
                        close_old_connections()
                        self.scan()
                except (InboxUnusable, Error) as problem:
                    logger.warning("%s", problem)
                time.sleep(pause)
        except InboxUnusable as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            logger.info("Stopped.")

    def scan(self) -> Scan:
        return scan(Trigger.COMMAND, partial(run_aloud, out=self.stdout))


def seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 86_400:
        raise argparse.ArgumentTypeError("from above 0 to 86400 seconds")
    return number


def in_words(counts: Scan) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.as_json().items()) + "."


@contextmanager
def lines_to(out: OutputWrapper, verbosity: int) -> Iterator[None]:
    """Write what the scan logs to `out`; with --verbosity 2 also what waits, and why."""
    handler = LinesTo(out)
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class LinesTo(logging.Handler):
    def __init__(self, out: OutputWrapper) -> None:
        super().__init__()
        self.out = out

    def emit(self, record: logging.LogRecord) -> None:
        self.out.write(record.getMessage())
        self.out.flush()
