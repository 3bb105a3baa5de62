"""One record into one execution, or into the list of everything that is wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from imports.columns import Moment, Number
from imports.dialect import Dialect, Witnesses
from imports.formats import Column, normal
from imports.identify import Layout
from imports.moments import to_utc
from imports.problems import CellError, Problem, shown
from imports.records import Record
from imports.states import Category
from trades.symbols import Symbol, UnknownSymbol, parse_symbol

MOST_KNOWN = 2_000  # cells of a column whose values are remembered
LONGEST_KNOWN = 1_000  # characters


@dataclass(slots=True)
class Execution:
    """A fill as its line tells it. `executed_at` is UTC; `native_id` is '' if the broker gave none.

    `given` names the fields that the file has a column for. Only a backup has the last two, which
    users have added; `reviewed` is "1" or "0".
    """

    account: str
    symbol: Symbol
    side: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime
    native_id: str
    commission: Decimal
    order_id: str
    name: str
    entry_exit: str
    broker_position: str
    connection: str
    given: frozenset[str]
    notes: str = ""
    reviewed: str = "0"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line that can be read is not taken in; `trade_id` is what was made of it before."""

    sentence: str
    is_known: bool
    trade_id: int | None


@dataclass(slots=True)
class Line:
    """A data line of a file: an execution, or problems. `remark` is no problem but worth saying."""

    number: int
    cells: list[str]
    execution: Execution | None = None
    problems: list[Problem] = field(default_factory=list)
    remark: str = ""
    execution_id: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Fed:
    """A column of the format that the file has: where, and under which heading.

    There may be several places: both Account and Account display name, say.
    """

    field: str
    heading: str
    places: tuple[int, ...]
    column: Column
    known: dict[str, Any] = field(default_factory=dict)  # most columns say the same again and again

    def cell(self, cells: list[str]) -> str:
        """The first of its cells that is not empty."""
        return next((cells[place] for place in self.places if cells[place].strip()), "")

    def read(self, cell: str, dialect: Dialect) -> Any:
        """The value of a cell, which is remembered. Raises CellError."""
        value = self.column.read(cell, dialect)
        if len(self.known) < MOST_KNOWN and len(cell) <= LONGEST_KNOWN:
            self.known[cell] = value
        return value


class LineReader:
    """Reads the records of one file. `zone_of` gives the zone of an account's naive times.

    Files that were joined may hold a second header with the columns in another order. No line
    below it is read by the first: a price must not pass for a quantity.
    """

    DEFAULTS = {
        "native_id": "",
        "commission": Decimal(0),
        "order_id": "",
        "name": "",
        "entry_exit": "",
        "broker_position": "",
        "connection": "",
        "notes": "",
        "reviewed": "0",
    }

    def __init__(
        self,
        layout: Layout,
        dialect: Dialect,
        *,
        default_account: str,
        zone_of: Callable[[str], str],
    ) -> None:
        self.layout = layout
        self.dialect = dialect
        self.default_account = default_account
        self.zone_of = zone_of
        self.fed = fed_columns(layout)
        self.least = max(place for fed in self.fed for place in fed.places) + 1
        self.given = frozenset(fed.field for fed in self.fed)
        self.headings = {fed.field: fed.heading for fed in self.fed}
        self.other_header = 0  # its line number
        self.refusals: dict[int, Refusal] = {}  # by line number

    def read(self, record: Record) -> Line:
        """Never raises for bad data: every problem of the line stands in the Line."""
        line = Line(record.number, record.cells)
        if refusal := self.refusals.get(record.number):
            category = Category.DUPLICATE if refusal.is_known else Category.VALIDATION
            line.problems.append(Problem("", "comes_again", refusal.sentence, category))
            line.refusal = refusal
            return line
        problem = self.problem_of_place() or self.problem_of_shape(record)
        if problem:
            line.problems.append(problem)
        else:
            self.fill(line, self.values(line))
        if line.problems and self.is_other_header(record.cells):
            self.other_header = record.number
            sentence = "is a header with other columns; import what follows as a file of its own"
            line.problems = [parsing_problem("other_header", sentence)]
        return line

    def read_again(self, record: Record) -> Line:
        """A line of which is known that it is an execution."""
        line = Line(record.number, record.cells)
        self.fill(line, self.values(line))
        return line

    def is_other_header(self, cells: list[str]) -> bool:
        if self.layout.format.missing(cells, has_account=True):
            return False
        return headings_of(cells) != headings_of(self.layout.header)

    def problem_of_place(self) -> Problem | None:
        if not self.other_header:
            return None
        sentence = f"stands below another header, in line {self.other_header}, with other columns"
        return parsing_problem("other_header", sentence)

    def problem_of_shape(self, record: Record) -> Problem | None:
        found, most = len(record.cells), self.layout.width
        if record.unclosed:
            return parsing_problem("unclosed_quote", "a quotation mark is opened and never closed")
        # Cells at the end that nothing is read from may be missing.
        if found < self.least:
            sentence = f"has {found} cells; expected {most}, as in the header"
            return parsing_problem("row_too_short", sentence)
        # Not even below an empty heading: there, an unquoted decimal comma has moved the cells.
        if any(cell.strip() for cell in record.cells[most:]):
            sentence = f"has {found} cells; expected {most}, as in the header"
            return parsing_problem("row_too_long", sentence)
        return None

    def values(self, line: Line) -> dict[str, object]:
        """The fields of the line that could be read; what could not be is added to its problems."""
        values = dict(self.DEFAULTS)
        cells = line.cells
        for fed in self.fed:
            cell = cells[fed.places[0]] if len(fed.places) == 1 else fed.cell(cells)
            value = fed.known.get(cell)
            if value is None:
                try:
                    value = fed.read(cell, self.dialect)
                except CellError as error:
                    line.problems.append(Problem(fed.heading, error.code, str(error)))
                    continue
            values[fed.field] = value
        return values

    def fill(self, line: Line, values: dict[str, object]) -> None:
        """Make the execution; what needs several cells together is judged here."""
        account = values.get("account") or self.default_account
        if not account and not self.has_problem(line, "account"):
            self.refuse(line, "account", "missing_account", "is empty; expected an account's name")
        moment = values.get("executed_at")
        if moment is not None:
            values["executed_at"] = self.in_utc(line, moment, account)
        text = values.pop("instrument", None)
        if text is not None and moment is not None:
            values["symbol"] = self.symbol(line, text, moment.date())
        if not line.problems:
            values["account"] = account
            line.execution = Execution(given=self.given, **values)

    def in_utc(self, line: Line, moment: datetime, account: str) -> datetime | None:
        try:
            utc, remark = to_utc(moment, self.zone_of(account))
        except CellError as error:
            self.refuse(line, "executed_at", error.code, str(error))
            return None
        if remark:
            line.remark = f"line {line.number}, {self.headings['executed_at']}: {remark}"
        return utc

    def symbol(self, line: Line, text: str, traded_on: date) -> Symbol | None:
        try:
            # A one-digit year needs the trade's month; nothing needs its day.
            return parse_symbol(text, traded_on.replace(day=1))
        except UnknownSymbol as error:
            self.refuse(line, "instrument", "missing_instrument", f"{shown(text)}: {error}")
            return None

    def refuse(self, line: Line, field_name: str, code: str, sentence: str) -> None:
        line.problems.append(Problem(self.headings.get(field_name, ""), code, sentence))

    def has_problem(self, line: Line, field_name: str) -> bool:
        return any(problem.field == self.headings.get(field_name) for problem in line.problems)


def headings_of(cells: list[str]) -> list[str]:
    """As they are compared, without the empty ones at the end."""
    headings = [normal(cell) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    return headings


def fed_columns(layout: Layout) -> list[Fed]:
    """The format's columns that the header has, in the format's order; the first heading wins."""
    where = {normal(name): place for place, name in reversed(list(enumerate(layout.header)))}
    fed = []
    for column in layout.format.columns:
        places = tuple(where[normal(name)] for name in column.headings if normal(name) in where)
        if places:
            fed.append(Fed(column.field, layout.header[places[0]], places, column))
    return fed


def parsing_problem(code: str, sentence: str) -> Problem:
    return Problem("", code, sentence, Category.PARSING)


def decide_dialect(records: Iterator[Record], layout: Layout) -> Dialect:
    """Read ahead until enough cells have told how the file writes numbers and dates."""
    fed = fed_columns(layout)
    numbers = [one for one in fed if isinstance(one.column.read, Number)]
    moments = [one for one in fed if isinstance(one.column.read, Moment)]
    symbols = [one for one in fed if one.field == "instrument"]
    witnesses = Witnesses(layout.delimiter)
    for record in records:
        cells = record.cells
        if len(cells) >= layout.width:
            times = [one.cell(cells) for one in moments]
            witnesses.hear((one.cell(cells) for one in numbers), times)
            for symbol, time in product((one.cell(cells) for one in symbols), times):
                witnesses.hear_contract(symbol, time)
        if witnesses.suffice:
            break
    return witnesses.verdict()
