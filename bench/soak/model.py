"""What must be in the log: kept by what was asked for, without asking the product.

Of two imports at once, only they can tell which of them took a line in. That, and how far one came
that was cancelled or broke off, is read from their row logs, and checked all the same.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.soak.fills import BAD, CONFLICT, Line

TAKEN, KNOWN, FAILED = "S", "K", "F"
LETTERS = {"success": TAKEN, "skipped": KNOWN, "failed": FAILED}


@dataclass
class Model:
    """What became, or must become, of everything that was asked for. Threads may share it.

    `rows` has by import a letter for each line of its file, where that is known; `orders` how many
    trades there must be by order ID; `batches` how many lines each has.
    """

    rows: dict[int, str] = field(default_factory=dict)
    orders: Counter[str] = field(default_factory=Counter)
    batches: dict[int, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)  # how often something was asked for
    differs: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.done[what] += number

    def differ(self, sentence: str) -> None:
        with self.lock:
            self.differs.append(sentence)


@dataclass
class Family:
    """Lines that no other file has, and which import has taken each in that is there now.

    `roots` has by import the one that it is a retry or a correction of, first of all; `mended` by
    root and execution the import that has brought a bad line of it corrected.
    """

    model: Model
    lines: list[Line]
    owners: dict[str, int] = field(default_factory=dict)
    files: dict[int, list[Line]] = field(default_factory=dict)
    roots: dict[int, int] = field(default_factory=dict)
    mended: dict[tuple[int, str], int] = field(default_factory=dict)

    def imported(self, log_id: int, lines: Iterable[Line], of: int | None = None) -> None:
        """An import of these lines, or so many of them, has ended; `of` is what it retries."""
        self.roots[log_id] = root = self.roots[of] if of else log_id
        letters = []
        for line in lines:
            letters.append(self.letter(line, root))
            if letters[-1] == TAKEN:
                self.take(line, log_id)
        self.model.rows[log_id] = "".join(letters)

    def letter(self, line: Line, root: int) -> str:
        if line.kind != CONFLICT and (root, line.key) in self.mended:
            return KNOWN
        if is_bad(line):
            return FAILED
        return KNOWN if line.key in self.owners else TAKEN

    def imported_at_once(self, lines: Sequence[Line], found: dict[int, str]) -> None:
        """Imports of the same lines, all of them whole, have ended; `found` says how by import."""
        for place, line in enumerate(lines):
            letters = {log_id: row[place : place + 1] for log_id, row in found.items()}
            takers = [log_id for log_id, letter in letters.items() if letter == TAKEN]
            must = 0 if is_bad(line) or line.key in self.owners else 1
            others = FAILED if is_bad(line) else KNOWN
            rest = set(letters.values()) - {TAKEN}
            if len(takers) != must or not rest <= {others}:
                self.model.differ(f"line {place + 2} of imports {letters}: {must} must take it in")
            for taker in takers[:1]:
                self.take(line, taker)
        self.model.rows |= found
        self.roots |= {log_id: log_id for log_id in found}

    def take(self, line: Line, log_id: int) -> None:
        self.owners[line.key] = log_id
        with self.model.lock:
            self.model.orders[line.order] += 1

    def corrected(self, log_id: int, lines: Iterable[Line], of: int) -> None:
        """An import of lines of another one, which were bad there, has ended."""
        lines, root = list(lines), self.roots[of]
        fresh = [line for line in lines if (root, line.key) not in self.mended]
        self.imported(log_id, lines, of)
        self.mended |= {(root, line.key): log_id for line in fresh}

    def rolled_back(self, log_id: int) -> None:
        self.mended = {one: by for one, by in self.mended.items() if by != log_id}
        for key in [key for key, owner in self.owners.items() if owner == log_id]:
            del self.owners[key]
            with self.model.lock:
                self.model.orders[key.partition(":")[0]] -= 1


def is_bad(line: Line) -> bool:
    return line.kind in (BAD, CONFLICT)
