"""What a check of the kept data gives: findings, each with what to do, in steps that end soon."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`words` say what is wrong, `remedy` what to do; one that was mended says what was done.

    A remark is nothing that is wrong: something that somebody may want to tidy up.
    """

    words: str
    remedy: str
    is_mended: bool = False
    is_remark: bool = False

    def __str__(self) -> str:
        return f"{self.words}: {'mended, ' if self.is_mended else ''}{self.remedy}"


@dataclass(frozen=True)
class Step:
    """What one step has found, and behind what (JSON) the next one begins; None: there is none."""

    findings: list[Finding] = field(default_factory=list)
    behind: Any = None


@dataclass(frozen=True)
class Check:
    """`look` takes where to begin (None: at the beginning) and whether to mend what it finds.

    It runs beside everybody who works: what is only just being written is no finding.
    """

    name: str
    look: Callable[[Any, bool], Step]


def some_of(numbers: list[int], most: int = 5) -> str:
    """7, 8, 9, 10, 11 and 30 more."""
    first = ", ".join(map(str, numbers[:most]))
    return first if len(numbers) <= most else f"{first} and {len(numbers) - most:,} more"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
