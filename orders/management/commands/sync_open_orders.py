"""manage.py sync_open_orders: mirror the desk's open orders now."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import Error

from joblogs.running import run_job, start
from joblogs.states import Trigger
from orders.syncing import sync
from orders.tasks import SYNC
from sources.reading import SourceError


class Command(BaseCommand):
    help = (
        "Mirror the open orders of the desk's order system. Needs no worker. Exit status 1 if that "
        "failed; the orders before stay then."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--allow-empty",
            action="store_true",
            default=None,
            help="take a source without orders for the truth",
        )

    def handle(self, **options: Any) -> None:
        log = start(SYNC, trigger=Trigger.COMMAND)
        with lines_to(self.stdout):
            try:
                run_job(log, partial(sync, allow_empty=options["allow_empty"]))
            except (SourceError, Error, OSError) as problem:
                raise CommandError(f"{problem} (job log {log})") from problem


@contextmanager
def lines_to(out: OutputWrapper) -> Iterator[None]:
    """Write what the sync logs to `out`, beside the job log."""
    handler = LinesTo(out)
    logger = logging.getLogger("orders")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class LinesTo(logging.Handler):
    def __init__(self, out: OutputWrapper) -> None:
        super().__init__(logging.INFO)
        self.out = out

    def emit(self, record: logging.LogRecord) -> None:
        self.out.write(record.getMessage())
        self.out.flush()
