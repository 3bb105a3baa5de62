"""A file that is a backup: known by its first line, checked as a whole, read line by line.

It may be compressed. It is never unpacked onto the disk, and no more of it is read than the limit
for files allows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from imports.backuplines import (
    FIRST,
    HEADINGS,
    IMPORT,
    KINDS,
    KNOWN,
    LAST,
    LONGEST,
    NAME,
    NO_TRADES,
    OF_LOGS,
    PARTS,
    POSITION,
    READABLE,
    TRADE,
    VERSION,
    cells_of,
    kind_of,
    parsed,
)
from imports.body import HEAVIEST_PART, Body, Rows
from imports.identify import Layout
from imports.packed import BROKEN, opened
from imports.problems import FileError, shown
from imports.records import Record
from imports.storing import refuse_too_large
from imports.textfile import TextFile
from web.jsontext import strict_json


@dataclass(frozen=True, slots=True)
class BackupFile(TextFile):
    """A backup whose checksum is right. It is read as if its trades were lines of a CSV file.

    `trades`, `remarks`: how many trades there are, and behind them positions.
    """

    trades: int = 0
    remarks: int = 0

    def lines(self) -> Iterator[str]:
        with opened(self.path) as stream:
            while line := stream.readline(LONGEST):
                yield line.decode()

    def head(self, count: int) -> list[str]:
        """The headings, by which its format is known."""
        return [",".join(HEADINGS)]

    def before_trades(self) -> Iterator[tuple[int, str, dict[str, object]]]:
        """The accounts, instruments and deleted executions: line number, kind, what it says."""
        with closing(self.lines()) as lines:
            for number, line in enumerate(lines, start=1):
                if (kind := kind_of(line)) in (TRADE, POSITION, IMPORT, LAST):
                    return
                if kind != FIRST:
                    yield number, kind, parsed(line)[1]

    def positions(self) -> Iterator[tuple[int, object]]:
        """What is said of positions: line number, and what should be an object."""
        with closing(self.lines()) as lines:
            for number, line in enumerate(lines, start=1):
                if (kind := kind_of(line)) == IMPORT:
                    return
                if kind == POSITION:
                    yield number, parsed(line)[1]

    def logs(self) -> Iterator[tuple[int, str, object]]:
        """The imports, each followed by what it had: line number, kind, what it says.

        Raises FileError for a line that is no JSON.
        """
        with closing(self.lines()) as lines:
            for number, line in enumerate(lines, start=1):
                if (kind := kind_of(line)) in OF_LOGS:
                    try:
                        yield (
                            number,
                            kind,
                            strict_json(line, parse_float=str, parse_constant=str)[kind],
                        )
                    except (ValueError, KeyError):
                        raise FileError(
                            f"{self.name}, line {number:,}, is no JSON; nothing was taken in."
                        ) from None


class BackupBody(Body):
    """The trades of a backup, each a record with the number of its physical line."""

    def __iter__(self) -> Iterator[Record]:
        for line in self.lines:
            number, self.number = self.number, self.number + 1
            if kind_of(line) not in NO_TRADES:
                yield Record(number, cells_of(line))

    def take(self, most: int) -> Rows:
        rows = Rows()
        for record in self:
            rows.add(record)
            if len(rows) >= most or rows.weight >= HEAVIEST_PART:
                break
        return rows


def body_of(file: TextFile, layout: Layout) -> Body:
    return (BackupBody if isinstance(file, BackupFile) else Body)(file, layout)


def look_at_backup(path: Path, name: str) -> BackupFile:
    """Read a backup to its end. Raises FileError unless it is whole and nobody has changed it."""
    check = Check(name)
    try:
        with opened(path) as stream:
            while line := stream.readline(LONGEST + 1):
                check.add(line)
    except BROKEN:
        raise FileError(
            f"{name} is damaged: it cannot be unpacked behind line {check.number:,}, expected a "
            "whole compressed backup; nothing was taken in."
        ) from None
    if not check.is_ended:
        raise FileError(
            f"{name} is not whole: it ends with line {check.number:,}, expected a last line with "
            "the counts and the checksum; nothing was taken in."
        )
    return BackupFile(
        path, name, "utf-8", check.number, check.counts[TRADE], check.counts[POSITION]
    )


class Check:
    """What has been seen of a backup so far, line by line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.size = 0
        self.digest = hashlib.sha256()
        self.counts: Counter[str] = Counter()
        self.part = 0
        self.version: int | None = None
        self.is_ended = False

    def add(self, line: bytes) -> None:
        """Raises FileError if the line has no place here."""
        self.number += 1
        self.size += len(line)
        refuse_too_large(self.size, self.name)
        kind = kind_of(self.text(line))
        if self.is_ended:
            raise self.problem("stands behind the end")
        if (self.number == 1) != (kind == FIRST):
            raise self.problem("is out of place")
        if kind == FIRST:
            self.require_version(self.said(line))
        elif kind == LAST:
            self.require_all(self.said(line))
        else:
            self.add_row(kind)
        self.digest.update(line)

    def add_row(self, kind: str) -> None:
        part = next(part for part, kinds in enumerate(PARTS.values()) if kind in kinds)
        if part < self.part:
            behind = list(PARTS)[self.part]
            raise self.problem(f"has a kind, {kind}, that stands in front of all {behind}")
        if part > self.part and kind in OF_LOGS[1:]:
            raise self.problem(f"has a kind, {kind}, that stands behind its import")
        self.part = part
        self.counts[kind] += 1

    def text(self, line: bytes) -> str:
        if len(line) > LONGEST:
            raise self.problem(f"is longer than {LONGEST:,} bytes")
        if b"\0" in line:
            raise self.problem("has a NUL byte")
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise self.problem("is no UTF-8") from None

    def said(self, line: bytes) -> dict[str, object]:
        _, values = parsed(line.decode())
        return values if isinstance(values, dict) else {}

    def require_version(self, metadata: dict[str, object]) -> None:
        found = (metadata.get("format"), metadata.get("version"))
        self.version = next((one for one in READABLE if found == (NAME, str(one))), None)
        if self.version is None:
            words = f"{shown(str(found[0]))}, version {shown(str(found[1]))}"
            raise FileError(
                f"{self.name} says that it is a {words}; expected a {NAME}, version {VERSION} or "
                "less. A newer tradelog may read it."
            )

    def require_all(self, end: dict[str, object]) -> None:
        """Whether the last line tells of all lines before it, unchanged."""
        if end.get("sha256") != self.digest.hexdigest():
            raise FileError(
                f"{self.name} was changed or damaged: its {self.number - 1:,} lines do not have "
                "the checksum that its last line expects; nothing was taken in."
            )
        counted = {kind: str(self.counts[kind]) for kind in KINDS[: KNOWN[self.version]]}
        if end.get("counts") != counted:
            raise FileError(
                f"{self.name} was changed or damaged: its last line counts other lines than the "
                f"{self.number - 1:,} before it; nothing was taken in."
            )
        self.is_ended = True

    def problem(self, sentence: str) -> FileError:
        return FileError(
            f"{self.name} is no whole backup: line {self.number:,} {sentence}; "
            "nothing was taken in."
        )
