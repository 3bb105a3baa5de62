"""What goes wrong, at random: processes are killed or stopped, connections to the database end."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import psutil
from django.db import connection

from bench.soak.programs import Service

END_SOME = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name <> %s AND random() < %s
"""


class Trouble(threading.Thread):
    """One mishap after the other, so many seconds apart, until it is told to stop.

    `me` is the application name of soak's own connections, which are spared.
    """

    def __init__(
        self, services: list[Service], seed: int, between: tuple[float, float], me: str
    ) -> None:
        super().__init__(name="trouble", daemon=True)
        self.services = services
        self.between = between
        self.me = me
        self.chance = random.Random(f"trouble {seed}")
        self.is_over = threading.Event()
        self.done: Counter[str] = Counter()
        self.mishaps: list[Callable[[], str]] = [
            *[self.kill_of_a_pool] * 5,
            *[self.kill_main] * 2,
            *[self.stop_main] * 2,
        ]
        if connection.vendor == "postgresql":
            self.mishaps += [self.end_connections] * 3

    def run(self) -> None:
        while not self.is_over.wait(self.chance.uniform(*self.between)):
            if said := self.chance.choice(self.mishaps)():
                self.done[said] += 1
        connection.close()

    def stop(self) -> None:
        self.is_over.set()
        if self.is_alive():
            self.join()

    def any_running(self, *, workers: bool = False) -> Service | None:
        found = [one for one in self.services if one.is_running]
        found = [one for one in found if one.name.startswith("worker")] if workers else found
        return self.chance.choice(found) if found else None

    def kill_of_a_pool(self) -> str:
        """kill -9 of one of a worker's processes: busy or idle, or one of those that lead it."""
        service = self.any_running(workers=True)
        below = service.tree()[1:] if service else []
        if not below:
            return ""
        with suppress(psutil.Error):
            os.kill(self.chance.choice(below).pid, signal.SIGKILL)
        return "pool processes killed"

    def kill_main(self) -> str:
        service = self.any_running()
        if service is None:
            return ""
        service.kill()
        return f"{service.name.rstrip('0123456789')} killed"

    def stop_main(self) -> str:
        service = self.any_running()
        if service is None:
            return ""
        service.terminate()
        return f"{service.name.rstrip('0123456789')} stopped"

    def end_connections(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(END_SOME, [self.me, self.chance.choice([0.2, 1])])
        return "rounds of connections ended"
