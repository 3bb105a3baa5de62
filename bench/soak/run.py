"""One run, on a database that is there: python -m bench.soak.run PLAN, as __main__.py calls it."""

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 (the models are there by now)
from django.core.management import CommandError, call_command, get_commands  # noqa: E402
from django.db import connection  # noqa: E402
from tqdm import tqdm  # noqa: E402

from bench.soak import programs, report, truth  # noqa: E402
from bench.soak.batching import Trader  # noqa: E402
from bench.soak.client import PASSWORD, PATIENCE, USER, Client  # noqa: E402
from bench.soak.fills import ACCOUNTS  # noqa: E402
from bench.soak.importing import Importer  # noqa: E402
from bench.soak.model import Model  # noqa: E402
from bench.soak.ordering import Desk  # noqa: E402
from bench.soak.trouble import Trouble  # noqa: E402
from imports import background, recomputing  # noqa: E402
from joblogs import queueing  # noqa: E402
from joblogs.tasks import attend  # noqa: E402
from trades.models import Account  # noqa: E402


@dataclass(frozen=True)
class Plan:
    """`seconds` of load; in a hurry minutes are seconds, and mishaps come close together."""

    seconds: float
    seed: int
    workers: int
    folder: str
    port: int
    redis_port: int
    hurry: bool
    calm: bool
    importers: int
    traders: int


class Run:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.folder = Path(plan.folder)
        self.model = Model()
        self.is_over = threading.Event()
        self.environment = {k: v for k, v in os.environ.items() if k != "PGAPPNAME"}
        command = programs.commander(self.environment, self.folder / "commands.txt")
        self.command = command
        self.services = self.all_services()
        self.supervisor = programs.Supervisor(self.services)
        between = (0.7, 2.0) if plan.hurry else (3.0, 12.0)
        me = os.environ.get("PGAPPNAME", "")
        self.trouble = Trouble(self.services, plan.seed, between, me)
        self.users: list[threading.Thread] = []

    def all_services(self) -> list[programs.Service]:
        plan, folder = self.plan, self.folder
        numbers = range(1, plan.workers + 1)
        found = [programs.web(self.environment, plan.port, folder)]
        found += [programs.worker(number, self.environment, folder) for number in numbers]
        if plan.redis_port:
            found.insert(0, programs.redis_server(plan.redis_port, folder))
        return found

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        get_user_model().objects.create_superuser(USER, password=PASSWORD)
        Account.objects.bulk_create(Account(name=name) for name in ACCOUNTS)
        attend()

    def go(self) -> list[str]:
        """The whole run; what differs in the end."""
        self.prepare()
        self.supervisor.start()
        try:
            self.begin_users()
            if not self.plan.calm:
                self.trouble.start()
            if self.plan.hurry:
                threading.Thread(target=self.attend_every_second, daemon=True).start()
            self.follow()
            self.is_over.set()
            self.trouble.stop()
            self.run_dry()
        except BaseException:
            self.supervisor.stop(at_once=True)
            raise
        self.supervisor.stop()
        return truth.differences(self.model) + self.told_by_commands()

    # --- Users

    def begin_users(self) -> None:
        plan, orders = self.plan, Path(os.environ["TRADELOG_OPEN_ORDERS_URL"])
        first = Client(f"http://127.0.0.1:{plan.port}", self.is_over.is_set)
        first.log_in()
        files = self.folder / "files-of-users"
        files.mkdir()
        workers: list[Callable[[], None]] = []
        for number in range(1, plan.importers + 1):
            name = f"i{plan.seed}-{number}"
            workers.append(Importer(name, first.as_another(), self.model, self.command, files).work)
        for number in range(1, plan.traders + 1):
            workers.append(Trader(f"b{plan.seed}-{number}", first.as_another(), self.model).work)
        self.desk = Desk(f"o{plan.seed}", first.as_another(), self.model, orders)
        workers.append(self.desk.work)
        for work in workers:
            self.users.append(threading.Thread(target=self.use, args=[work], daemon=True))
            self.users[-1].start()

    def use(self, work: Callable[[], None]) -> None:
        """The life of one user, who works until it is over; what stops him is told."""
        try:
            while not self.is_over.is_set():
                work()
        except Exception as problem:
            self.model.differ(f"a user ({work.__qualname__}) gave up: {problem!r}")
        finally:
            connection.close()

    def attend_every_second(self) -> None:
        """As the minute tick of the workers does, sixty times as often, and as soon."""
        queueing.LOST_AFTER = background.SOON = recomputing.SOON = timedelta(seconds=2)
        while self.supervisor.is_alive():
            attend()
            time.sleep(1)
        connection.close()

    # --- From the first minute to the last

    def follow(self) -> None:
        begun = time.monotonic()
        shows = sys.stderr.isatty()
        bar = tqdm(total=round(self.plan.seconds), unit="s", disable=not shows)
        next_word = 30.0
        while (gone := time.monotonic() - begun) < self.plan.seconds:
            time.sleep(min(1, self.plan.seconds - gone))
            bar.update(round(min(gone + 1, self.plan.seconds)) - bar.n)
            bar.set_postfix_str(self.words())
            if gone >= next_word and not shows:
                print(f"{report.clock(gone)}: {self.words()}", flush=True)
                next_word += 30
        bar.close()

    def words(self) -> str:
        done, mishaps = self.model.done, self.trouble.done
        said = f"{done['imports']} imports, {done['batches']} batches, {done['syncs']} syncs"
        said += f", {done['rollbacks']} rollbacks, {sum(mishaps.values())} mishaps"
        return said + (f", {len(self.model.differs)} differ" if self.model.differs else "")

    def run_dry(self) -> None:
        """Let users come to an end with what they do, then the queue."""
        print("The load is over; the queue runs dry.", flush=True)
        deadline = time.monotonic() + PATIENCE
        for user in self.users:
            user.join(max(0, deadline - time.monotonic()))
        deadline = time.monotonic() + PATIENCE
        while (waits := truth.what_waits()) and time.monotonic() < deadline:
            time.sleep(0.3)
        if waits:
            self.model.differ(f"the queue has not run dry in {PATIENCE} s")

    # --- The end

    def told_by_commands(self) -> list[str]:
        """What the product's own checks say, and its backup, of which all must be known."""
        backup = str(self.folder / "soak.jsonl.gz")
        commands = [["sync_open_orders"], ["rebuild_positions", "--check"]]
        commands += [["reconcile"]] if "reconcile" in get_commands() else []
        commands += [["backup", backup], ["import_csv", backup]]
        found = [sentence for command in commands for sentence in self.said_by(command)]
        return found + self.desk.last_differs()

    def said_by(self, command: list[str]) -> list[str]:
        """Why a command has failed, or took something in that is known."""
        words = " ".join(["manage.py", *command])
        output = io.StringIO()
        try:
            call_command(*command, stdout=output, stderr=output)
        except CommandError as problem:
            return [f"{words}: {output.getvalue()}{problem}"]
        if command[0] == "import_csv" and ": 0 taken in" not in output.getvalue():
            return [f"{words}: {output.getvalue()}"]
        return []


def main(text: str) -> int:
    plan = Plan(**json.loads(text))
    run = Run(plan)
    begun = time.monotonic()
    try:
        found = run.go()
    except KeyboardInterrupt:
        return 130
    print(report.told(run, time.monotonic() - begun))
    for sentence in found:
        print(f"DIFFERS: {sentence}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
