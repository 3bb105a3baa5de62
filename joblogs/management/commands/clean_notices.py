"""manage.py clean_notices: delete notices that were acknowledged long ago."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from joblogs.forgetting import forget, in_words, old_notices
from web.ages import days


class Command(BaseCommand):
    help = (
        "Delete notices that were acknowledged long ago; what nobody has acknowledged stays. "
        "A worker does the same every day, as the settings say."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        usual = settings.TRADELOG_DELETE_NOTICES_DAYS
        parser.add_argument(
            "--after",
            type=days,
            default=usual,
            metavar="DAYS",
            help=f"since it was acknowledged; 0 is never (default {usual})",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, **options: Any) -> None:
        if options["dry_run"]:
            count = old_notices(options["after"]).count()
            self.stdout.write(in_words(count, "would be "))
        else:
            self.stdout.write(in_words(forget(options["after"])))
