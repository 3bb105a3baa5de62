"""manage.py reconcile: check that all that is kept agrees with itself, and mend it."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit.models import Deed
from audit.writing import write_down
from joblogs.findings import Step, counted
from tradelog.reconciling import CHECKS, in_words, reconcile


class Command(BaseCommand):
    help = (
        "Check counters, row logs, ledger, trades, positions, stored files, batches and states "
        "against one another, beside whoever works. One line for each finding, with what to do. "
        "Exit status 1 if something differs. A worker does the same every day, without --fix."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--fix", action="store_true", help="mend what can be mended safely, and say what"
        )

    def handle(self, **options: Any) -> None:
        mended = 0
        with tqdm(
            total=len(CHECKS), unit=" checks", leave=False, disable=not sys.stderr.isatty()
        ) as bar:

            def show(name: str, step: Step) -> None:
                nonlocal mended
                bar.set_description(name)
                bar.update(step.behind is None)
                for one in step.findings:
                    mended += one.is_mended
                    bar.clear()
                    self.stdout.write(str(one))

            found = reconcile(options["fix"], show)
        if mended:
            write_down(Deed.CHANGE, "what did not agree", count=mended, words="reconcile --fix")
            self.stdout.write(f"{counted(mended, 'finding')} mended.")
        if found.differences and options["fix"]:
            raise CommandError(f"{counted(found.differences, 'difference')} left, for you to mend.")
        if found.differences:
            raise CommandError(in_words(found))
        self.stdout.write("Everything agrees.")
