"""manage.py create_batch: make a batch of the lines of a file."""

import argparse
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from batches.console import follow, outcome, preview_in_words, problems_in_words, staged_in_words
from batches.control import start
from batches.files import preview_file, stage_file
from batches.mapping import StagingError
from batches.models import Batch, BatchTemplate
from batches.states import Status
from batches.wishes import template_called
from joblogs.recurring import beat
from joblogs.states import Trigger
from trades.models import validate_zone


class Command(BaseCommand):
    help = (
        "Make a batch: every line of a file becomes a trade that waits to be executed. "
        "Exit status 1 if none could be read."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV, or .json with a list of objects")
        parser.add_argument("--name", default="", help="that of the file unless given")
        parser.add_argument("--executor", default="", help="journal unless given")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a setting of the executor",
        )
        parser.add_argument("--priority", type=int, help="1 comes first, 10 last")
        parser.add_argument("--parallel", type=int, help="how many are executed at the same time")
        parser.add_argument("--template", default="", help="name or number of a template")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=HEADING",
            help="the column that a field is read from; guessed unless given",
        )
        parser.add_argument(
            "--default",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="what stands for an empty cell, for example account=Sim101",
        )
        parser.add_argument("--timezone", default="", help="IANA zone of times that name none")
        parser.add_argument("--start", action="store_true", help="have a worker begin at once")
        parser.add_argument("--wait", action="store_true", help="with --start: until it has ended")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say what would be made and write nothing",
        )

    def handle(self, **options: Any) -> None:
        if options["wait"] and not options["start"]:
            raise CommandError("Only what is started can be waited for: give --start, too.")
        path = Path(options["file"]).expanduser()
        try:
            if options["dry_run"]:
                self.rehearse(path, wished_by(options))
                return
            batch = stage_file(path, **wished_by(options))
        except StagingError as problem:
            raise CommandError(str(problem)) from None
        except OSError as problem:
            raise CommandError(f"{path}: {problem.strerror or problem}.") from None
        self.stdout.write(staged_in_words(batch))
        self.tell_problems(batch)
        if batch.failed_trades == batch.total_trades:
            raise CommandError("None of its lines could be read; the batch was not started.")
        if options["start"]:
            self.begin(batch, wait=options["wait"])

    def rehearse(self, path: Path, wished: dict[str, Any]) -> None:
        for sentence in preview_in_words(path.name, preview_file(path, **wished)):
            self.stdout.write(sentence)

    def begin(self, batch: Batch, *, wait: bool) -> None:
        batch = start(batch, None, Trigger.COMMAND)
        if not wait:
            self.stdout.write(f"{batch.name}: started; a worker will take it.")
            return
        if beat().is_silent:
            self.stdout.write("No worker is at work; this waits for one (manage.py qcluster).")
            self.stdout.flush()
        follow(batch)
        self.stdout.write(outcome(batch))
        if batch.status != Status.SUCCESS:
            self.tell_problems(batch)
            raise CommandError(f"{batch.name} did not succeed with all of its trades.")

    def tell_problems(self, batch: Batch) -> None:
        for sentence in problems_in_words(batch):
            self.stdout.write(sentence)


def wished_by(options: dict[str, Any]) -> dict[str, Any]:
    """What the user asked for. Raises CommandError for what is no pair, zone or template."""
    if options["timezone"]:
        try:
            validate_zone(options["timezone"])
        except ValidationError as problem:
            raise CommandError(problem.message) from None
    plain = {
        name: options[name] for name in ("name", "executor", "priority", "parallel", "timezone")
    }
    return plain | {
        "executor_settings": pairs("set", options["set"]),
        "columns": pairs("column", options["column"]),
        "defaults": pairs("default", options["default"]),
        "template": template_named(options["template"]),
    }


def pairs(option: str, given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise CommandError(f"--{option} {text}: expected a name, '=' and a value.")
        found[name] = value
    return found


def template_named(text: str) -> BatchTemplate | None:
    """The template of that name or number; None for none. Raises CommandError."""
    if not text:
        return None
    template = template_called(text)
    if template is None:
        names = ", ".join(BatchTemplate.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no template '{text}'; there are: {names}.")
    return template
