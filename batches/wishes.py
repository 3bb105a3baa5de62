"""What a user wishes of a new batch, beyond its lines; the template says the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from batches.executors import Executor, executor_named, make
from batches.executors.wishes import read_settings
from batches.mapping import Columns, StagingError, require_storable
from batches.models import FIRST, LAST, MOST_PARALLEL, USUAL, Batch, BatchTemplate
from web.numbers import whole_number

LONGEST_NAME = 200
USUAL_EXECUTOR = "journal"


@dataclass(frozen=True)
class Wishes:
    """None, and an empty text, leave it to the template, and without one to what is usual.

    `columns` and `defaults` are by field of an instruction, and are added to those of the template.
    `timezone` is the zone of naive times, in place of each account's own.
    """

    name: str = ""
    executor: str = ""
    executor_settings: Mapping[str, object] | None = None
    priority: int | None = None
    parallel: int | None = None
    template: BatchTemplate | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    user: AbstractBaseUser | None = None

    def mapping(self, own_names: bool = False) -> Columns:
        """Raises StagingError for a field that does not exist, or a default that is no text."""
        template = self.template or BatchTemplate()
        chosen = {**template.columns, **self.columns}
        return Columns(chosen, {**template.defaults, **self.defaults}, own_names)

    def new_batch(self, usual_name: str) -> Batch:
        """A batch that is not saved yet. Raises StagingError for what cannot be."""
        template = self.template or BatchTemplate(executor=USUAL_EXECUTOR, priority=USUAL)
        executor = self.executor or template.executor
        if executor == template.executor:
            wished = {**template.executor_settings, **(self.executor_settings or {})}
        else:  # the template's settings are those of another one
            wished = {**(self.executor_settings or {})}
        checked = checked_settings(executor, wished)
        return Batch(
            name=neat(self.name) or neat(usual_name) or "Batch",
            executor=executor,
            executor_settings=checked,
            priority=within("priority", self.priority, template.priority, FIRST, LAST),
            parallel=within("parallel", self.parallel, template.parallel, 1, MOST_PARALLEL),
            template=self.template,
            created_by=self.user,
        )


def template_called(text: str) -> BatchTemplate | None:
    """The template of that name, or else of that number; None if there is none."""
    named = BatchTemplate.objects.filter(name=text).first()
    return named or BatchTemplate.objects.filter(pk=whole_number(text) or 0).first()


def make_executor(name: str, wished: Mapping[str, Any]) -> Executor:
    try:
        return make(name, wished)
    except ValueError as problem:
        raise StagingError(str(problem)) from None


def checked_settings(name: str, wished: Mapping[str, Any]) -> dict[str, int | str]:
    """What was wished, as the executor reads it; what was not stays open for its defaults."""
    try:
        read = read_settings(executor_named(name).settings, wished)
    except ValueError as problem:
        raise StagingError(str(problem)) from None
    for setting, value in read.items():
        require_storable(setting, str(value))
    return {setting: read[setting] for setting in wished}


def within(name: str, wished: int | None, usual: int, least: int, most: int) -> int:
    number = usual if wished is None else wished
    if not least <= number <= most:
        raise StagingError(f"{name}: {number} is not from {least} to {most}.")
    return number


def neat(name: str) -> str:
    """A name in one line, without what cannot be seen."""
    words = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return words[:LONGEST_NAME]
