"""The days of a date range, and what became of each; an import keeps them as JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.db import models


class DayStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


@dataclass
class Day:
    """One day of the source's calendar. Its rows lie in the store, under `file_hash`."""

    date: str  # 2026-11-03
    status: str = DayStatus.WAITING
    rows: int = 0
    file_hash: str = ""
    error: str = ""

    @property
    def label(self) -> str:
        return DayStatus(self.status).label


def days_between(start: date, end: date) -> list[Day]:
    """Every day from the first to the last, both included."""
    return [Day(str(start + timedelta(days=n))) for n in range((end - start).days + 1)]


def read_days(stored: list[dict[str, object]]) -> list[Day]:
    return [Day(**one) for one in stored]


def as_json(days: Sequence[Day]) -> list[dict[str, object]]:
    return [asdict(day) for day in days]


def waiting_again(days: Sequence[Day]) -> list[Day]:
    """The same days for another run: what was brought is kept, the others wait."""
    return [day if day.status == DayStatus.DONE else Day(day.date) for day in days]


def with_status(days: Sequence[Day], status: DayStatus) -> list[Day]:
    return [day for day in days if day.status == status]


def failed_in_words(days: Sequence[Day]) -> str:
    """Which days could not be had, and why; '' if all could. Days with one reason stand together.

    2 of 7 days could not be had: 2026-11-03, 2026-11-04 (no connection).
    """
    by_error: dict[str, list[str]] = defaultdict(list)
    failed = with_status(days, DayStatus.FAILED)
    for day in failed:
        by_error[day.error].append(day.date)
    if not failed:
        return ""
    reasons = [f"{', '.join(dates)} ({error.rstrip('.')})" for error, dates in by_error.items()]
    word = "day" if len(days) == 1 else "days"
    return f"{len(failed)} of {len(days)} {word} could not be had: {'; '.join(reasons)}."
