"""Many rows at once, column by column: the way of the plain lines, which are nearly all.

The readers of the cells are those of a single line (lines.py), and so are the rules; here they are
asked once for each different cell. What they refuse, and what is out of the ordinary, is left to
the single line.
"""

from collections import Counter
from datetime import date
from decimal import Decimal
from functools import partial

from imports.body import Rows
from imports.lines import Execution, Fed, LineReader
from imports.problems import CellError
from imports.remembered import Remembered
from imports.wallclock import WallClock, as_text
from trades.symbols import Symbol, UnknownSymbol, parse_symbol

Column = list[str | None]  # a field of many rows, as it will stand in the tables
ALL_DIFFERENT = ("native_id", "order_id", "notes")  # it is no use to remember their cells
REQUIRED = ("account", "side", "quantity", "price")


class ColumnReader:
    """Reads rows into columns by field, with None where a row is not plain.

    `symbols` has the instruments of all columns by their symbol.
    """

    def __init__(self, reader: LineReader) -> None:
        self.reader = reader
        self.fed = {fed.field: fed for fed in reader.fed}
        self.known = {
            name: Remembered(partial(self.read_cell, fed)) for name, fed in self.fed.items()
        }
        self.zones = Remembered(lambda account: reader.zone_of(account or ""))
        self.clock = WallClock(reader.dialect.day_first)
        self.instruments = Remembered(self.read_instrument)
        self.symbols: dict[str, Symbol] = {}

    def read(self, found: Rows) -> dict[str, Column]:
        rows = self.of_one_width(found)
        cells = list(zip(*rows, strict=True))
        count = len(rows)
        columns = {name: [written(value)] * count for name, value in LineReader.DEFAULTS.items()}
        columns["account"] = [self.reader.default_account or None] * count
        given = {
            fed.field: cells[fed.places[0]] if len(fed.places) == 1 else tuple(map(fed.cell, rows))
            for fed in self.fed.values()
        }
        times, names = given.pop("executed_at"), given.pop("instrument")
        columns |= {name: self.read_column(name, column) for name, column in given.items()}
        columns["executed_at"], months = self.clock.read(times, self.zones.all(columns["account"]))
        columns["symbol"] = self.instruments.all(zip(names, months, strict=True))
        for surplus in cells[self.reader.layout.width :]:
            for place in [place for place, cell in enumerate(surplus) if cell.strip()]:
                columns["symbol"][place] = None
        return columns

    def of_one_width(self, rows: Rows) -> list[list[str]]:
        """The cells of the rows; in place of those that are not like most, blank ones."""
        widths = list(map(len, rows.cells))
        width = max(Counter(widths).most_common(1)[0][0], self.reader.least)
        blank = [""] * width
        return [
            blank if found != width or place in rows.odd else rows.cells[place]
            for place, found in enumerate(widths)
        ]

    def read_column(self, name: str, cells: tuple[str, ...]) -> Column:
        if name in ALL_DIFFERENT and self.fed[name].column.read.keeps(cells):
            return list(cells)
        return self.known[name].all(cells)

    def read_cell(self, fed: Fed, cell: str) -> str | None:
        try:
            value = fed.column.read(cell, self.reader.dialect)
        except CellError:
            return None
        if fed.field == "account":
            return value or self.reader.default_account or None
        return written(value)

    def read_instrument(self, key: tuple[str, date | None]) -> str | None:
        """The symbol of what a cell calls so in that month."""
        cell, month = key
        name = self.known["instrument"][cell]
        if not (name and month):
            return None
        try:
            symbol = parse_symbol(name, month)
        except UnknownSymbol:
            return None
        self.symbols[symbol.symbol] = symbol
        return symbol.symbol


def written(value: str | Decimal) -> str:
    """A value as it stands in the tables."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def as_in_columns(execution: Execution) -> dict[str, str]:
    """What the columns would hold of this execution."""
    values = {name: getattr(execution, name) for name in (*LineReader.DEFAULTS, *REQUIRED)}
    return {name: written(value) for name, value in values.items()} | {
        "symbol": execution.symbol.symbol,
        "executed_at": as_text(execution.executed_at),
    }
