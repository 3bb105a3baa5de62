"""A user who imports: uploads, retries, corrects, cancels, rolls back and restores.

One family of lines after the other; what happens to a family happens step by step, while other
users do the same with theirs.
"""

import csv
import io
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.soak.client import Client, Unsure
from bench.soak.fills import BAD, COLUMNS, GOOD, Line, file_of, make_lines, part_of
from bench.soak.model import LETTERS, Family, Model
from imports.models import ImportExecutionLog, ImportRowLog

Command = Callable[..., "subprocess.Popen[bytes]"]
ENDED = {"success", "partial", "failed", "cancelled", "rolled_back"}


class Importer:
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

    def work(self) -> None:
        """The life of one family."""
        self.families += 1
        self.family = self.new_family()
        self.upload_first()
        deeds = [self.upload_again, self.upload_again, self.roll_back, self.roll_back, self.retry]
        deeds += [self.correct_line, self.correct_file, self.restore, self.upload_and_cancel]
        for deed in self.chance.choices(deeds, k=self.chance.randint(2, 6)):
            if self.client.is_over():
                break
            deed()

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

    def running_command(self, name: str, content: bytes) -> "subprocess.Popen[bytes]":
        path = self.folder / name
        path.write_bytes(content)
        return self.command("import_csv", str(path), "--timezone", "UTC")

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

    # --- What is done to imports

    def upload_and_cancel(self) -> None:
        name, lines = self.new_name(), self.family.lines
        self.by_api(name, file_of(lines))
        log = self.the_one(name)
        time.sleep(self.chance.uniform(0, 0.5))
        try:
            self.client.post_form(f"/import-logs/{log}/cancel/")
        except Unsure:
            return self.upload_settled(log, lines)
        self.model.count("cancels")
        return self.upload_settled(log, lines)

    def upload_settled(self, log: int, lines: Sequence[Line]) -> None:
        self.family.files[log] = list(lines)
        self.settle(log, lines)

    def retry(self) -> None:
        """The stored bytes again."""
        logs = [log for log in self.standing("partial", "cancelled") if log in self.family.files]
        if logs:
            log = self.chance.choice(logs)
            new = self.successor(log, lambda: self.ask_for_retry(log))
            self.family.files[new] = self.family.files[log]
            self.settle(new, self.family.files[log], of=log)
            self.model.count("retries")

    def ask_for_retry(self, log: int, **more: object) -> None:
        self.client.ask("POST", f"/api/import-logs/retry/{log}", **more).raise_for_status()

    def successor(self, log: int, ask: Callable[[], object], **kind: object) -> int:
        """What came of asking for a retry, once, whether or not there was an answer."""
        children = ImportExecutionLog.objects.filter(retry_of=log, **kind).order_by("-pk")
        before = children.values_list("pk", flat=True).first() or 0
        after = children.filter(pk__gt=before).values_list("pk", flat=True)

        def is_there() -> bool:
            if not after.all():
                try:
                    ask()
                except Unsure:
                    return False
            return bool(after.all())

        self.client.until(is_there, f"a retry of import {log}")
        return after.all()[0]

    def bad_lines(self, log: int) -> list[Line]:
        """Those of an import that can be corrected, with their numbers beside them."""
        root = self.family.roots[log]
        lines = self.family.files.get(log, [])
        bad = (line for line in lines if line.kind == BAD)
        return [line for line in bad if (root, line.key) not in self.family.mended]

    def correct_line(self) -> None:
        """In place, on its page."""
        logs = [log for log in self.standing("partial", "failed") if self.bad_lines(log)]
        if not logs:
            return
        log = self.chance.choice(logs)
        line = self.chance.choice(self.bad_lines(log))
        number = self.family.files[log].index(line) + 2
        cells = line.mended.text.split(",")
        data = {f"cell_{place}": cell for place, cell in enumerate(cells) if COLUMNS[place]}
        path = f"/import-logs/{log}/rows/{number}/correct/"
        new = self.successor(log, lambda: self.client.post_form(path, data=data), mends_line=number)
        if self.wait_for_end(new) == "success":
            self.family.corrected(new, [line.mended], log)
        else:
            self.model.differ(f"import {new}, the correction of line {number} of {log}, failed")
        self.model.count("corrections")

    def correct_file(self) -> None:
        """The failed lines, downloaded, corrected and sent back."""
        logs = [log for log in self.standing("partial", "failed") if self.bad_lines(log)]
        if not logs:
            return
        log = self.chance.choice(logs)
        lines = {line.order: line.mended for line in self.bad_lines(log)}
        path = f"/api/import-logs/download/{log}"
        text = self.client.surely("GET", path, params={"format": "csv"}).content.decode("utf-8-sig")
        header, *rows = list(csv.reader(io.StringIO(text, newline="")))
        order, quantity = header.index("Order ID"), header.index("Quantity")
        kept = [row for row in rows if row[order] in lines and row[quantity] == "abc"]
        sent = io.StringIO(newline="")
        csv.writer(sent).writerows([header, *(mended(row, quantity) for row in kept)])
        file = (self.new_name(), sent.getvalue().encode())
        new = self.successor(log, lambda: self.ask_for_retry(log, files={"file": file}))
        self.wait_for_end(new)
        self.family.corrected(new, [lines[row[order]] for row in kept], log)
        self.model.count("corrections")

    def roll_back(self) -> None:
        logs = self.standing("success", "partial")
        if not logs:
            return
        log = self.chance.choice(logs)

        def is_undone() -> bool:
            if self.state(log) == "rolled_back":
                return True
            try:
                path = f"/api/import-logs/rollback/{log}"
                self.client.ask("POST", path, json={"confirm": True})
            except Unsure:
                return False
            return self.state(log) == "rolled_back"

        self.client.until(is_undone, f"the rollback of import {log}")
        self.family.rolled_back(log)
        self.model.count("rollbacks")

    def restore(self) -> None:
        """What a backup would have of this family."""
        lines = [line for line in self.family.lines if line.kind == GOOD][:2_000]
        name = self.new_name()
        body = {"_metadata": {"filename": name}, "trades": [line.in_a_backup for line in lines]}
        key = {"Idempotency-Key": name}
        answer = self.client.surely("POST", "/import-backup", json=body, headers=key)
        answer.raise_for_status()
        self.settle(answer.json()["id"], lines)
        self.model.count("restores")


def mended(row: list[str], quantity: int) -> list[str]:
    return [*row[:quantity], "1", *row[quantity + 1 :]]
