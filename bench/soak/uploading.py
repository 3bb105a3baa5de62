"""How files come in: by the API, on the page, by a command, twice at once; and how imports end."""

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.soak.client import Client, Unsure
from bench.soak.fills import Line, file_of, make_lines, part_of
from bench.soak.model import LETTERS, Family, Model
from bench.soak.programs import Process
from imports.inboxfolders import Folders
from imports.models import ImportExecutionLog, ImportRowLog

Command = Callable[..., Process]
ENDED = {"success", "partial", "failed", "cancelled", "rolled_back"}


class Uploader:
    """`command` starts one of manage.py; files to be imported by it are put into `folder`."""

    def __init__(
        self, name: str, client: Client, model: Model, command: Command, folder: Path
    ) -> None:
        self.name = name
        self.client = client
        self.model = model
        self.command = command
        self.folder = folder
        self.chance = random.Random(name)
        self.families = 0
        self.files = 0

    def new_family(self) -> Family:
        few, many = self.chance.randint(5, 200), self.chance.randint(3_000, 12_000)
        count = few if self.chance.random() < 0.85 else many
        name = f"{self.name}-{self.families}"
        return Family(
            self.model, make_lines(name, self.chance.randrange(2_000), count, self.chance)
        )

    def new_name(self) -> str:
        """Of a file: no two have the same, so that an import whose answer was lost is found."""
        self.files += 1
        return f"{self.name}-{self.families}-{self.files}.csv"

    # --- Uploads

    def upload_first(self) -> None:
        ways = [self.by_api, self.by_api, self.by_page, self.by_command, self.by_command_killed]
        ways.append(self.by_inbox)
        if self.chance.random() < 0.25:
            self.upload_twice_at_once()
        else:
            self.upload(self.family.lines, self.chance.choice(ways))

    def upload_again(self) -> None:
        lines = self.family.lines
        whole = self.chance.random() < 0.5
        self.upload(lines if whole else part_of(lines, self.chance), self.by_api)

    def upload(self, lines: Sequence[Line], way: Callable[[str, bytes], None]) -> int:
        name = self.new_name()
        way(name, file_of(lines))
        log = self.the_one(name)
        self.family.files[log] = list(lines)
        self.settle(log, lines)
        return log

    def upload_twice_at_once(self) -> None:
        """Two uploads of the same bytes, each sent twice under its key."""
        lines = self.family.lines
        names = [self.new_name(), self.new_name()]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.by_api, [*names, *names], [file_of(lines)] * 4))
        logs = [self.the_one(name) for name in names]
        states = [self.wait_for_end(log) for log in logs]
        self.family.files |= {log: list(lines) for log in logs}
        self.family.imported_at_once(lines, {log: self.letters(log) for log in logs})
        for log, state in zip(logs, states, strict=True):
            if self.was_interrupted(log, state):
                self.model.differ(f"import {log} was interrupted; soak cannot tell what of it is")

    def by_api(self, name: str, content: bytes) -> None:
        self.client.surely(
            "POST",
            "/api/import-logs/upload",
            files={"file": (name, content)},
            data={"timezone": "UTC"},
            headers={"Idempotency-Key": name},
        ).raise_for_status()
        self.model.count("uploads")

    def by_page(self, name: str, content: bytes) -> None:
        def is_there() -> bool:
            if not self.found(name):
                try:
                    form = {"files": {"files": (name, content)}, "data": {"timezone": "UTC"}}
                    self.client.post_form("/import-logs/upload/", **form)
                except Unsure:
                    return False
            return bool(self.found(name))

        self.client.until(is_there, f"the upload of {name}")
        self.model.count("uploads")

    def by_command(self, name: str, content: bytes) -> None:
        while not self.found(name):
            self.running_command(name, content).wait()
        self.model.count("commands")

    def by_command_killed(self, name: str, content: bytes) -> None:
        running = self.running_command(name, content)
        time.sleep(self.chance.uniform(0.3, 2))
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
            self.model.count("commands killed")
        running.wait()
        self.by_command(name, content)

    def running_command(self, name: str, content: bytes) -> Process:
        path = self.folder / name
        path.write_bytes(content)
        return self.command("import_csv", str(path), "--timezone", "UTC")

    def by_inbox(self, name: str, content: bytes) -> None:
        """Scanned by a command as well as by the workers, and killed as they are."""
        draft, folders = self.folder / name, Folders()
        draft.write_bytes(content)
        draft.rename(folders.inbox / name)
        while not self.found(name):
            running = self.command("scan_inbox")
            if self.chance.random() < 0.3:
                time.sleep(self.chance.uniform(0.3, 8))
                running.kill()
            running.wait()
        self.model.count("inbox files")

    def found(self, name: str) -> list[int]:
        logs = ImportExecutionLog.objects.filter(file_name=name).order_by("pk")
        return list(logs.values_list("pk", flat=True))

    def the_one(self, name: str) -> int:
        logs = self.found(name)
        if len(logs) != 1:
            self.model.differ(f"{name} was sent once and is {len(logs)} imports: {logs}")
        return logs[0]

    # --- How imports end

    def settle(self, log: int, lines: Sequence[Line], of: int | None = None) -> None:
        """Wait for the end of an import, and note what must have become of its lines."""
        state = self.wait_for_end(log)
        if state == "cancelled" or self.was_interrupted(log, state):
            lines = lines[: len(self.letters(log))]
        self.family.imported(log, lines, of)

    def wait_for_end(self, log: int) -> str:
        def has_ended() -> bool:
            return self.state(log) in ENDED

        self.client.until(has_ended, f"the end of import {log}")
        self.model.count("imports")
        return self.state(log)

    def state(self, log: int) -> str:
        answer = self.client.get(f"/api/import-logs/detail/{log}", per_page=10)
        return answer["import_summary"]["status"]

    def was_interrupted(self, log: int, state: str) -> bool:
        """Given up after the death of three workers in a row, as may happen here."""
        found = ImportExecutionLog.objects.filter(pk=log, error_summary__icontains="interrupted")
        return state == "failed" and found.exists()

    def letters(self, log: int) -> str:
        """What became of its lines, in their order."""
        rows = ImportRowLog.objects.filter(import_log=log).order_by("row_number")
        return "".join(LETTERS[status] for status in rows.values_list("status", flat=True))

    def standing(self, *states: str) -> list[int]:
        """The imports of the family that are in one of these states."""
        return [log for log in self.family.roots if self.state(log) in states]
