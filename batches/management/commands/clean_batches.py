"""manage.py clean_batches: archive old batches, and delete those that were archived long ago."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from batches.cleanup import Ages, ages_configured, clean, in_words, what_is_old
from web.ages import days


class Command(BaseCommand):
    help = (
        "Archive batches that ended long ago, and delete those that were archived long ago. Their "
        "trades stay. A worker does the same every day, as the settings say."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        usual = ages_configured()
        parser.add_argument(
            "--archive-after",
            type=days,
            default=usual.archive_after,
            metavar="DAYS",
            help=f"since its end; 0 is never (default {usual.archive_after})",
        )
        parser.add_argument(
            "--delete-after",
            type=days,
            default=usual.delete_after,
            metavar="DAYS",
            help=f"since it was archived; 0 is never (default {usual.delete_after})",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, **options: Any) -> None:
        ages = Ages(options["archive_after"], options["delete_after"])
        if options["dry_run"]:
            self.stdout.write(in_words(what_is_old(ages), "would be "))
        else:
            self.stdout.write(in_words(clean(ages)))
