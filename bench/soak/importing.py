"""A user who imports: uploads, retries, corrects, cancels, rolls back and restores.

One family of lines after the other; what happens to a family happens step by step, while other
users do the same with theirs.
"""

import csv
import io
import time
from collections.abc import Callable, Sequence

from bench.soak.client import Unsure
from bench.soak.fills import BAD, COLUMNS, GOOD, Line, file_of
from bench.soak.uploading import Uploader
from imports.models import ImportExecutionLog


class Importer(Uploader):
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
