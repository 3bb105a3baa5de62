"""manage.py backup: write all trades and import logs into a file that brings them back."""

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audit.models import Deed
from audit.writing import write_down
from imports.backup import FileExists, save_backup
from imports.backuplines import TRADE, BackupWriter
from imports.problems import FileError
from web.durations import duration_in_words


class Command(BaseCommand):
    help = (
        "Write all trades, positions' notes and import logs into a file. "
        "`import_csv FILE` brings back what is missing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE", help="compressed if it ends on .gz")
        parser.add_argument("--force", action="store_true", help="replace a file that exists")

    def handle(self, **options: Any) -> None:
        path, started = options["path"], time.monotonic()
        try:
            with closing(Bar(path.name)) as bar:
                written = save_backup(path, force=options["force"], on_progress=bar)
        except FileExists as problem:
            raise CommandError(f"{problem} Choose another name, or replace it: --force.") from None
        except OSError as problem:
            raise CommandError(f"{path} cannot be written: {problem.strerror}.") from None
        except FileError as problem:
            raise CommandError(str(problem)) from None
        write_down(Deed.EXPORT, str(path), count=written.counts[TRADE], words="trades")
        took = duration_in_words(round(1000 * (time.monotonic() - started)))
        self.stdout.write(f"{path.name}: {in_words(written)} in {took}.")
        if written.size > settings.TRADELOG_MAX_FILE_MB << 20:
            self.stderr.write(
                f"It holds {written.size >> 20:,} MB: set TRADELOG_MAX_FILE_MB to more than that "
                "before you bring it back."
            )


class Bar:
    """A bar on a terminal, silent elsewhere."""

    def __init__(self, name: str) -> None:
        self.bar = tqdm(
            desc=name, unit=" trades", leave=False, disable=not sys.stderr.isatty(), file=sys.stderr
        )

    def __call__(self, done: int, of: int) -> None:
        self.bar.total = of
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def in_words(written: BackupWriter) -> str:
    names = {
        "trade": ("trade", "trades"),
        "account": ("account", "accounts"),
        "instrument": ("instrument", "instruments"),
        "deleted": ("deleted execution", "deleted executions"),
        "position": ("position with notes or tags", "positions with notes or tags"),
        "import": ("import", "imports"),
    }
    return ", ".join(
        f"{written.counts[kind]:,} {words[written.counts[kind] != 1]}"
        for kind, words in names.items()
        if written.counts[kind] or kind == TRADE
    )
