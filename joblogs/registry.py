"""The jobs that can be run in the background: each room registers its own in its `tasks.py`.

They are declared in code alone. The queue carries names and numbers, so nothing that stands in the
database decides which code is run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One kind of work. `work` gets the number of its subject (an import, say) and may give counts.

    It must bear being called twice, late or for a subject that is gone. `waiting` gives the
    subjects that have work to do and nobody who does it. A job with `every` (minutes) recurs;
    `is_needed` and `was_idle` spare the logs those of its runs that do nothing.
    """

    name: str
    work: Callable[[int | None], dict[str, object]]
    every: int = 0
    waiting: Callable[[], Iterable[int]] = tuple
    is_needed: Callable[[], bool] = lambda: True
    was_idle: Callable[[dict[str, object]], bool] = lambda result: False
    page: str = ""  # of the subject: the name of its address, which takes the number


JOBS: dict[str, Job] = {}


def register(*jobs: Job) -> None:
    """Make jobs known under their names."""
    for job in jobs:
        JOBS[job.name] = job
