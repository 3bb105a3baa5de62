"""manage.py import_csv: take in files from the command line."""

import argparse
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from imports.console import put_off, run_aloud
from imports.formats import all_formats
from imports.paths import files_meant
from imports.problems import FileError
from imports.storing import Wishes, new_import, receive, refuse_too_large
from trades.models import validate_zone


class Command(BaseCommand):
    help = "Import execution files. Exit status 1 if one of them failed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or pattern")
        parser.add_argument("--account", default="", help="account of the lines that name none")
        parser.add_argument("--format", default="", help="found out by itself unless given")
        parser.add_argument(
            "--timezone", default="", help="IANA zone of the times, for example America/Chicago"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--background", action="store_true", help="only store the files; a worker imports them"
        )
        how.add_argument(
            "--dry-run", action="store_true", help="say what would happen and write nothing"
        )

    def handle(self, **options: Any) -> None:
        wishes = wishes_of(options)
        try:
            files = list(files_meant(options["paths"]))
        except OSError as problem:
            raise CommandError(f"{problem.filename}: {problem.strerror}.") from None
        failed = [path.name for path in files if not self.take_in(path, wishes, options)]
        if not files:
            raise CommandError(f"No files in {', '.join(options['paths'])}.")
        if failed:
            raise CommandError(f"{len(failed)} of {len(files)} files failed: {', '.join(failed)}")

    def take_in(self, path: Path, wishes: Wishes, options: dict[str, Any]) -> bool:
        """Import one file; whether it went well."""
        if not path.exists():
            self.stderr.write(f"{path}: there is no such file.")
            return False
        if options["dry_run"]:
            return self.rehearse(path, wishes)
        try:
            with path.open("rb") as source:
                log = receive(source, path.name, wishes)
        except OSError as problem:
            self.stderr.write(f"{path}: cannot be read: {problem.strerror}.")
            return False
        return put_off(log, self.stdout) if options["background"] else run_aloud(log, self.stdout)

    def rehearse(self, path: Path, wishes: Wishes) -> bool:
        """The real run, undone at the end: what it says is what would happen."""
        try:
            refuse_too_large(path.stat().st_size, path.name)
        except FileError as problem:
            self.stderr.write(str(problem))
            return False
        with transaction.atomic():
            log = new_import(path.name, wishes)
            log.save()
            went_well = run_aloud(log, self.stdout, path=path, dry_run=True)
            transaction.set_rollback(True)
        return went_well


def wishes_of(options: dict[str, Any]) -> Wishes:
    """What the user asked for. Raises CommandError for a zone or format that does not exist."""
    if options["format"] and options["format"] not in all_formats():
        names = ", ".join(all_formats())
        raise CommandError(f"'{options['format']}' is no format; there are: {names}.")
    if options["timezone"]:
        try:
            validate_zone(options["timezone"])
        except ValidationError as problem:
            raise CommandError(problem.message) from None
    return Wishes(options["account"], options["timezone"], options["format"])
