"""What executes the trades of a batch. A module in this folder that declares EXECUTOR is one.

docs/executors.md tells how to add one.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from batches.executors.wishes import Setting, read_settings


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is to be executed. `side` is one of Trade.Side.

    The `key` is the instruction's own and stays the same however often it is handed over; a broker
    that takes an id of the client's should be given this one. `attempt` counts from 1.
    """

    key: str
    sequence: int
    account: str
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal | None = None
    executed_at: datetime | None = None
    commission: Decimal = Decimal(0)
    order_id: str = ""
    name: str = ""
    attempt: int = 1
    tick_size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """It was executed, perhaps only a part of the quantity. The commission is of this fill."""

    quantity: Decimal
    price: Decimal
    commission: Decimal
    executed_at: datetime
    order_id: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """It was not executed and will not be; the reason is a sentence for the user."""

    reason: str


class NotDone:
    """The executor knows for certain that it has never executed the instruction."""


NOT_DONE = NotDone()


class Executor(Protocol):
    """One way of executing instructions; `name` is stored with every batch and never changes.

    It is called from threads, several at once if the batch wishes so, and never asks our database.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str] = ""
    # Whether asking once more with the same key is harmless, and answered as the first time.
    is_idempotent: ClassVar[bool] = False
    # Whether taking our trades out of the log again is all that a roll back needs.
    can_undo: ClassVar[bool] = False
    settings: ClassVar[tuple[Setting, ...]] = ()
    # Instructions handed over at once, about a second's work; of one that is not idempotent always
    # a single one.
    lot: int = 1

    def __init__(self, **settings: int | str) -> None:
        """Gets a value for each of its settings."""

    def check(self, instruction: Instruction) -> str:
        """What keeps this from being executed, in a sentence, before the batch starts; '' if fine.

        Nothing is executed here.
        """
        return ""

    def execute(self, instruction: Instruction) -> Fill | Rejection:
        """Do it. Whatever it raises fails this one instruction with the exception's words."""
        ...

    def look_up(self, instruction: Instruction) -> Fill | Rejection | NotDone | None:
        """What became of an instruction whose answer was lost; None if it cannot tell."""
        return None


def executor_named(name: str) -> type[Executor]:
    """Raises ValueError, with a sentence, if there is none of that name."""
    if name not in EXECUTORS:
        raise ValueError(
            f"There is no executor '{name}' here; there are {', '.join(sorted(EXECUTORS))}."
        )
    return EXECUTORS[name]


def make(name: str, settings: Mapping[str, object]) -> Executor:
    """An executor with these settings; what is not given has its default.

    Raises ValueError, with one sentence, for a name or a setting that it does not know.
    """
    kind = executor_named(name)
    return kind(**read_settings(kind.settings, settings))


def lot_of(executor: Executor) -> int:
    """How many instructions one thread gets at once.

    What cannot be asked twice comes alone: after a crash nobody knows which of a lot were done.
    """
    return max(1, executor.lot) if executor.is_idempotent else 1


def in_this_folder() -> dict[str, type[Executor]]:
    """Every executor in this folder by its name."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    kinds = [module.EXECUTOR for module in modules if hasattr(module, "EXECUTOR")]
    return {kind.name: kind for kind in kinds}


EXECUTORS = in_this_folder()
