"""The processes of an installation, started anew when they end, as systemd does it.

Only what was started here is ever ended, by its process id.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
BOUND = [sys.executable, "bin/_bound.py"]
WEB = ["-m", "uvicorn", "tradelog.asgi:application", "--lifespan", "off", "--no-access-log"]
WEB += ["--log-level", "warning", "--timeout-graceful-shutdown", "3", "--ws-max-size", "1024"]
REST = 1.0  # seconds before something is started again
STOPS_WITHIN = 30  # seconds, then it is ended by force


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Service:
    """One program that is to run, with what its processes take of memory, in MB by process."""

    name: str
    command: list[str]
    environment: dict[str, str]
    output: Path
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    ended_at: float = 0
    memory: dict[int, list[float]] = field(default_factory=dict)

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.starts += 1

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep_running(self) -> None:
        now = time.monotonic()
        if self.is_running:
            self.ended_at = 0
        elif not self.ended_at:
            self.sweep()
            self.ended_at = now
        elif now - self.ended_at > REST:
            self.start()

    def tree(self) -> list[psutil.Process]:
        """Its main process and all below."""
        if not self.is_running:
            return []
        with suppress(psutil.Error):
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def weigh(self) -> None:
        for process in self.tree():
            with suppress(psutil.Error):
                mb = process.memory_info().rss / 2**20
                self.memory.setdefault(process.pid, []).append(mb)

    def kill(self) -> None:
        """kill -9 of the main process alone."""
        if self.is_running:
            self.process.kill()

    def terminate(self) -> None:
        if self.is_running:
            self.process.terminate()

    def sweep(self) -> None:
        """End what is left of its group, as the end of a unit's control group does."""
        if self.process is not None and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self, within: float) -> None:
        """By SIGTERM, and by force when so many seconds are over."""
        self.terminate()
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(within)
            self.sweep()
            self.process.wait()


class Supervisor(threading.Thread):
    """Starts all services, keeps them running and weighs them, until it is told to stop.

    One thread does all the starting: processes that are bound to their parent (bin/_bound.py) are
    bound to the thread that started them.
    """

    def __init__(self, services: list[Service]) -> None:
        super().__init__(name="supervisor", daemon=True)
        self.services = services
        self.is_over = threading.Event()
        self.patience = STOPS_WITHIN

    def run(self) -> None:
        rounds = 0
        while not self.is_over.wait(0.2):
            for service in self.services:
                service.keep_running()
            rounds += 1
            if rounds % 10 == 0:
                self.weigh()
        with ThreadPoolExecutor(len(self.services)) as pool:
            list(pool.map(lambda service: service.stop(self.patience), self.services))

    def weigh(self) -> None:
        for service in self.services:
            service.weigh()

    def stop(self, *, at_once: bool = False) -> None:
        self.patience = 0 if at_once else STOPS_WITHIN
        self.is_over.set()
        self.join()


def web(environment: dict[str, str], port: int, folder: Path) -> Service:
    command = [*BOUND, *WEB, "--host", "127.0.0.1", "--port", str(port)]
    return Service("web", command, environment, folder / "web.txt")


def worker(number: int, environment: dict[str, str], folder: Path) -> Service:
    name = f"worker{number}"
    command = [*BOUND, "manage.py", "qcluster"]
    return Service(name, command, environment, folder / f"{name}.txt")


def redis_server(port: int, folder: Path) -> Service:
    """One that keeps nothing: who kills it empties the queue."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("--redis needs redis-server (on Debian and Ubuntu: apt install redis-server).")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "no", "--dir", str(folder)]
    return Service("redis", command, dict(os.environ), folder / "redis.txt")


Process = subprocess.Popen[bytes]


def commander(environment: dict[str, str], output: Path) -> Callable[..., Process]:
    """Starts commands of manage.py."""

    def command(*arguments: str) -> Process:
        with output.open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    return command
