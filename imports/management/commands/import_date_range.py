"""manage.py import_date_range: take in the executions of some days from the source."""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports.console import put_off, run_aloud
from imports.daterange import problem_of, receive_range
from imports.states import StateConflict


class Command(BaseCommand):
    help = (
        "Import the executions of up to 30 days from the source (TRADELOG_EXECUTIONS_URL), day by "
        "day. Exit status 1 if nothing could be taken in."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("start", metavar="START", type=day, help="first day, like 2026-11-03")
        parser.add_argument("end", metavar="END", type=day, help="last day, included")
        parser.add_argument("--background", action="store_true", help="leave it to a worker")

    def handle(self, **options: Any) -> None:
        if problem := problem_of(options["start"], options["end"]):
            raise CommandError(problem[1])
        try:
            log = receive_range(options["start"], options["end"])
        except StateConflict as conflict:
            raise CommandError(str(conflict)) from None
        run = put_off if options["background"] else run_aloud
        if not run(log, self.stdout):
            raise CommandError(f"{log.file_name} failed.")


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no day; expected one like 2026-11-03"
        ) from None
