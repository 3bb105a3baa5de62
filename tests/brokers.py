"""Executors for the tests: each notes every call in a file, for good, before it answers.

What a name of an instruction may be: "raise", "reject", "partial", "die" (as by kill -9), "odd".
"""

import os
import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from django.utils import timezone

from batches.executors import (
    EXECUTORS,
    NOT_DONE,
    Executor,
    Fill,
    Instruction,
    NotDone,
    Rejection,
)
from batches.executors.wishes import Setting


class Strict(Executor):
    """Must not be asked twice, and cannot tell what became of an instruction."""

    name = "strict"
    title = "Strict broker"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("path", "File of the calls", "", 0, 1_000),
        Setting("rest_ms", "Rest", 0),
    )

    def __init__(self, *, path: str = "", rest_ms: int = 0) -> None:
        self.path = path
        self.rest_ms = rest_ms

    def execute(self, instruction: Instruction) -> Fill | Rejection:
        note_call(self.path, instruction.key)
        self.rest()
        if instruction.name == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if instruction.name == "raise":
            raise ConnectionError("The broker hung up.")
        if instruction.name == "reject":
            return Rejection("No margin.")
        if instruction.name == "odd":
            return "done"
        filled = 1 if instruction.name == "partial" else instruction.quantity
        return fill_of(instruction, Decimal(filled))

    def rest(self) -> None:
        """As long as nobody hurries (tests/workers.py)."""
        over_at = time.monotonic() + self.rest_ms / 1000
        while time.monotonic() < over_at and not Path(self.path).with_name("hurry").exists():
            time.sleep(min(self.rest_ms / 1000, 0.01))


class Lenient(Strict):
    """May be asked twice."""

    name = "lenient"
    title = "Lenient broker"
    is_idempotent = True
    lot = 20


class Knowing(Strict):
    """Must not be asked twice, and knows from its file what it has done."""

    name = "knowing"
    title = "Knowing broker"

    def look_up(self, instruction: Instruction) -> Fill | Rejection | NotDone | None:
        done = calls_in(self.path)[instruction.key]
        return fill_of(instruction, instruction.quantity) if done else NOT_DONE


def fill_of(instruction: Instruction, quantity: Decimal) -> Fill:
    return Fill(
        quantity=quantity,
        price=instruction.price or Decimal(1),
        commission=Decimal("0.5"),
        executed_at=instruction.executed_at or timezone.now(),
    )


def note_call(path: str, key: str) -> None:
    """Written behind what others write, and on the disk when this returns."""
    if not path:
        return
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{key}\n".encode())
    os.fsync(file)
    os.close(file)


def calls_in(path: str) -> Counter[str]:
    """How often each key was called for."""
    file = Path(path)
    return Counter(file.read_text().split()) if file.exists() else Counter()


def know_all() -> None:
    """Make these executors known in this process."""
    EXECUTORS.update({kind.name: kind for kind in (Strict, Lenient, Knowing)})
