"""Files and texts, as far as they are read without a database."""

import io
from pathlib import Path

from imports.body import data_records
from imports.identify import identify
from imports.lines import Line, LineReader, decide_dialect
from imports.records import Lines, Record, records
from imports.textfile import TextFile, look_at
from tests.conftest import ZONE

NAME = "fills.csv"
OPEN_FILES = Path("/proc/self/fd")  # on Linux
WIDTH = 4


def looked_at(path: Path, content: bytes | str) -> TextFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return look_at(path, NAME)


def cut(text: str, delimiter: str = ",", width: int = WIDTH) -> list[Record]:
    lines = io.StringIO(text, newline="")
    return list(records(Lines(lines), delimiter, width=width))


def cells(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    return [(record.number, record.cells) for record in cut(text, delimiter)]


def read_all(path: Path, content: bytes | str) -> list[Line]:
    file = looked_at(path, content)
    layout = identify(file)
    dialect = decide_dialect(data_records(file, layout), layout)
    reader = LineReader(layout, dialect, default_account="", zone_of=lambda account: ZONE)
    return [reader.read(record) for record in data_records(file, layout)]


def codes(lines: list[Line]) -> dict[int, list[str]]:
    return {line.number: [problem.code for problem in line.problems] for line in lines}


def is_open(path: Path) -> bool:
    """Whether this process has the file open, as far as the system tells."""
    return any(one.exists() and one.samefile(path) for one in OPEN_FILES.glob("*"))
