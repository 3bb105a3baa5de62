"""manage.py retry_import: take a failed or partial import in again, or finish a broken one."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports.console import import_named, put_off, run_aloud
from imports.retry import retry
from imports.states import StateConflict


class Command(BaseCommand):
    help = (
        "Import the stored bytes of a failed or partial import again; known lines are skipped. "
        "An import whose process died goes on where it stopped."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("id", metavar="ID", help="number or batch ID of the import")
        parser.add_argument("--background", action="store_true", help="leave it to a worker")

    def handle(self, **options: Any) -> None:
        log = import_named(options["id"])
        try:
            log = log if log.is_left_behind else retry(log)
        except StateConflict as conflict:
            raise CommandError(str(conflict)) from None
        run = put_off if options["background"] else run_aloud
        if not run(log, self.stdout):
            raise CommandError(f"{log.file_name} failed again.")
