"""manage.py clean_logs: delete old row logs of imports, lines of jobs, and entries of the audit."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from tradelog.retention import Ages, Cleaned, ages_configured, clean, in_words, what_is_old
from web.ages import days


class Command(BaseCommand):
    help = (
        "Delete the row logs of imports, and the lines of jobs, that ended long ago, and, if the "
        "settings say so, old entries of the audit. Imports, trades, the ledger and job logs "
        "stay, and so do failures that nobody has acknowledged. "
        "A worker does the same every day, as the settings say; Ctrl-C stops it at any time."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        usual = ages_configured()
        for name, default, since in (
            ("row-logs", usual.row_logs, "the end"),
            ("job-lines", usual.job_lines, "the end"),
            ("audit", usual.audit_entries, "the deed"),
        ):
            parser.add_argument(
                f"--{name}-after",
                type=days,
                default=default,
                metavar="DAYS",
                help=f"since {since}; 0 is never (default {default})",
            )
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, **options: Any) -> None:
        names = ("row_logs_after", "job_lines_after", "audit_after")
        ages = Ages(*(options[name] for name in names))
        if options["dry_run"]:
            old, kept = what_is_old(ages)
            self.stdout.write(in_words(old, "would be "))
            if kept:
                self.stdout.write(
                    f"{kept:,} old import{'' if kept == 1 else 's'} kept in full: of failed lines "
                    "among them, or in their retries, nobody has acknowledged the notice."
                )
            return
        with tqdm(unit=" rows", leave=False, disable=not sys.stderr.isatty()) as bar:

            def show(cleaned: Cleaned) -> bool:
                total = cleaned.row_logs + cleaned.job_lines + cleaned.audit_entries
                bar.update(total - bar.n)
                return True

            done = clean(ages, show)
        self.stdout.write(in_words(done))
