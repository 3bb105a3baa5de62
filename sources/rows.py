"""What a source gives: rows with their problems, or an error of the source as a whole."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class SourceError(Exception):
    """The source cannot be read. The text is one sentence for people, without credentials."""


class Problem(NamedTuple):
    """What is wrong with one value of a row: "'abc' is no number". `field` may be "": the row."""

    field: str
    column: str
    error: str


class Row(NamedTuple):
    """One row, numbered from 1 in the order of the source.

    values: by our field; None where the source has nothing, or nothing that can be converted.
    raw: every column of the source as text, by the source's name.
    """

    number: int
    values: dict[str, object]
    problems: list[Problem]
    raw: dict[str, str]


class Cells(NamedTuple):
    """A row as the source gave it, and what is wrong with it as a whole; none if it was lost."""

    values: Sequence[object]
    problem: str = ""


class Table(NamedTuple):
    """The columns of a source, and its rows, which come one by one."""

    columns: list[str]
    rows: Iterator[Cells]
