"""One step of the measurements, in a process of its own: python -m bench.step NAME FOLDER.

The database is the one of DATABASE_URL. Prints what the step found out, as JSON.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

STATUS = Path("/proc/self/status")  # on Linux
Step = Callable[[Path], dict[str, object]]


class Clock:
    """Adds up the time that is spent within `running`."""

    seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun


def calm_down() -> None:
    """Let the database finish what is left from before, so that no measurement pays for another."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone()[0]:  # nobody else may
                cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def peak_memory() -> int | None:
    """The most memory that this process and its largest child had, in kB; None but on Linux.

    What a fork shares with its parent counts twice.
    """
    if not STATUS.exists():
        return None
    lines = STATUS.read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def migrate(folder: Path) -> dict[str, object]:
    call_command("migrate", verbosity=0)
    return {}


def step_named(name: str) -> Step:
    """`migrate`, or a function of a module beside this one, like `importing.take_in`.

    The modules import models, so they can be loaded only now.
    """
    if name == "migrate":
        return migrate
    module, _, function = name.partition(".")
    return getattr(importlib.import_module(f"bench.{module}"), function)


def main(name: str, folder: Path) -> None:
    django.setup()
    print(json.dumps(step_named(name)(folder) | {"peak_kb": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
