"""What is measured, in which order, and what must have become of the lines.

Every step is a process of its own; every measurement but the rollback, which needs the import,
begins with a freshly migrated database. They take turns, ROUNDS times, and the fastest of each
counts: other work on the machine only ever makes them slower.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.databases import Vendor
from bench.generate import Expected, write_files

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3  # the rival has one: it needs minutes, in which short disturbances even out
RIVAL_MOST = 100_000  # lines; django-import-export would need an hour for millions
# The developer's own settings, and what would put others in place of them.
NOT_FOR_STEPS = ("TRADELOG_", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASE_URL", "DJANGO_")


class StepFailed(Exception):
    """A step broke off, or left other rows than it must."""


@dataclass(frozen=True)
class Measured:
    """One measurement: its lines, how long they took, and the peak memory in kB, where known."""

    lines: int
    seconds: float
    peak_kb: int | None
    counts: dict[str, int]

    @property
    def rate(self) -> float:
        """Lines of the file per second."""
        return self.lines / self.seconds


@dataclass(frozen=True)
class Comparison:
    """Everything that was measured with one file on one database."""

    vendor: Vendor
    lines: int
    imported: Measured
    floor: Measured
    rival: Measured
    tuned_rival: Measured
    undone: Measured


def compare(vendor: Vendor, lines: int, rounds: int = ROUNDS) -> Comparison:
    """Raises StepFailed if a step breaks off or its rows are not those that must come out."""
    found = [one_round(vendor, lines) for _ in range(rounds)]
    imported, floor, undone = map(fastest, zip(*found, strict=True))
    fewer = min(lines, RIVAL_MOST)
    return Comparison(
        vendor,
        lines,
        imported=imported,
        floor=floor,
        rival=measure_rival("rival.take_in", vendor, fewer),
        tuned_rival=measure_rival("rival.take_in_tuned", vendor, fewer),
        undone=undone,
    )


def one_round(vendor: Vendor, lines: int) -> tuple[Measured, Measured, Measured]:
    """The import, the floor and the rollback."""
    with files(lines) as (folder, expected):
        with migrated(vendor, folder) as url:
            take("importing.take_in_earlier", url, folder)
            imported = measure("importing.take_in", url, folder, expected)
            take("floor.keep", url, folder)
            undone = measure("importing.undo", url, folder, expected)
        with migrated(vendor, folder) as url:
            floor = measure("floor.put_back", url, folder, expected)
    return imported, floor, undone


def fastest(several: Iterable[Measured]) -> Measured:
    """The fastest, with the most memory that any of them had."""
    measured = list(several)
    peaks = [one.peak_kb for one in measured if one.peak_kb is not None]
    return replace(max(measured, key=attrgetter("rate")), peak_kb=max(peaks, default=None))


@cache  # once for all the files that are longer than the rival reads
def measure_rival(step: str, vendor: Vendor, lines: int) -> Measured:
    with files(lines) as (folder, expected), migrated(vendor, folder) as url:
        take("rival.make_places", url, folder)
        return measure(step, url, folder, expected)


@contextmanager
def files(lines: int) -> Iterator[tuple[Path, Expected]]:
    """A folder with the files to import, and what must become of them."""
    with TemporaryDirectory(prefix="tradelog-bench-") as name:
        yield Path(name), write_files(Path(name), lines)


@contextmanager
def migrated(vendor: Vendor, folder: Path) -> Iterator[str]:
    with vendor.fresh() as url:
        take("migrate", url, folder)
        yield url


def measure(step: str, url: str, folder: Path, expected: Expected) -> Measured:
    found = take(step, url, folder)
    right = right_counts(step, expected)
    if found["counts"] != right:
        raise StepFailed(f"{step} left {found['counts']}; expected {right}")
    return Measured(expected.lines, found["seconds"], found["peak_kb"], found["counts"])


def right_counts(step: str, expected: Expected) -> dict[str, int]:
    lines, bad, known, taken = expected.lines, expected.bad, expected.known, expected.taken
    return {
        "importing.take_in": {
            "taken": taken,
            "known": known,
            "bad": bad,
            "row_logs": lines,
            "ledger": taken,
            "trades": taken + known,
        },
        "importing.undo": {"deleted": taken, "ledger": known, "trades": known},
        "floor.put_back": {
            "import_execution_row_logs": lines,
            "trades": taken,
            "imported_executions": taken,
        },
        "rival.take_in": {"trades": lines - bad, "bad": bad},
        "rival.take_in_tuned": {"trades": lines - bad, "bad": bad},
    }[step]


def take(step: str, url: str, folder: Path) -> dict:
    """Take one step, on the database at this address; what it found out."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.step", step, str(folder)],
        cwd=ROOT,
        env=environment(url, folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise StepFailed(f"{step} broke off:\n{ended.stderr}")
    return json.loads(ended.stdout)


def environment(url: str, folder: Path) -> dict[str, str]:
    usual = {
        name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_STEPS)
    }
    return usual | {
        "DJANGO_SETTINGS_MODULE": "tradelog.settings",
        "TRADELOG_ENV_FILE": "",
        "TRADELOG_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": url,
    }
