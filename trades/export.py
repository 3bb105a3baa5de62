"""The trades or positions that fit the filters, as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import QuerySet

from trades.decimals import plain
from trades.listing import in_slices
from trades.models import Position, Trade
from trades.origins import every_position, every_trade
from web.formulas import neutral

OF_TRADES = [
    "id",
    "executed_at",
    "account",
    "instrument",
    "side",
    "quantity",
    "price",
    "commission",
    "execution_id",
    "order_id",
    "name",
    "entry_exit",
    "broker_position",
    "connection",
    "reviewed",
    "notes",
]
OF_POSITIONS = [
    "id",
    "account",
    "instrument",
    "direction",
    "status",
    "opened_at",
    "closed_at",
    "peak_quantity",
    "open_quantity",
    "average_entry",
    "average_exit",
    "gross_pnl",
    "commission",
    "net_pnl",
    "currency",
    "fills",
    "tags",
    "notes",
]


def trades_as_csv(found: QuerySet[Trade]) -> Iterator[str]:
    """With the byte order mark by which spreadsheets know UTF-8. Moments are in UTC."""
    yield "\ufeff" + lines([[*OF_TRADES, "import", "file", "line"]])
    for trades in in_slices(every_trade(), found):
        yield lines([[*cells(trade, OF_TRADES), *origin(trade)] for trade in trades])


def positions_as_csv(found: QuerySet[Position]) -> Iterator[str]:
    """The same. What is unknown is empty, as what is not there yet."""
    yield "\ufeff" + lines([OF_POSITIONS])
    for positions in in_slices(every_position(), found):
        yield lines([cells(position, OF_POSITIONS) for position in positions])


def origin(trade: Trade) -> list[str]:
    row = trade.import_row_log
    if row is None:
        return ["", "", ""]
    return [str(row.import_log.pk), neutral(row.import_log.file_name), str(row.row_number)]


def cells(row: Trade | Position, names: list[str]) -> list[str]:
    return [cell(getattr(row, name)) for name in names]


def cell(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return neutral(", ".join(value))
    return "" if value is None else neutral(str(value))


def lines(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
