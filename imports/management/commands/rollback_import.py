"""manage.py rollback_import: undo an import."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports.background import start_rollback
from imports.console import import_named
from imports.models import ImportExecutionLog
from imports.rollback import preview, roll_back
from imports.states import StateConflict
from joblogs.states import Trigger
from trades.console import recompute_aloud


class Command(BaseCommand):
    help = "Undo an import: delete its trades and forget its executions."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("id", metavar="ID", help="number or batch ID of the import")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--background", action="store_true", help="leave it to a worker")

    def handle(self, **options: Any) -> None:
        log = import_named(options["id"])
        self.show(log)
        if not options["yes"] and not agrees("Roll it back? [y/N] "):
            self.stdout.write("Nothing was changed.")
            return
        try:
            if options["background"]:
                start_rollback(log, None, Trigger.COMMAND)
                self.stdout.write(f"{log.file_name}: a worker will roll it back.")
                return
            deleted = roll_back(log)
            recompute_aloud()
        except StateConflict as conflict:
            raise CommandError(str(conflict)) from None
        self.stdout.write(f"{log.file_name}: rolled back, {deleted:,} trades deleted.")

    def show(self, log: ImportExecutionLog) -> None:
        effect = preview([log])
        self.stdout.write(
            f"{log.file_name} ({log.get_status_display().lower()}): {effect.trades:,} trades in "
            f"{', '.join(effect.accounts) or 'no account'}; {effect.with_notes:,} of them with "
            f"notes, {effect.reviewed:,} reviewed."
        )
        for later in effect.later_imports:
            self.stdout.write(
                f"  {later.file_name} (import {later.pk}) skipped lines because of it."
            )


def agrees(question: str) -> bool:
    """Whether somebody answers yes; where nobody can, nobody does."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
