"""Tradovate and NinjaTrader Web, report of fills: one line per fill.

Reports, tab Fills, Download CSV. Written alike everywhere: decimal points, and `_timestamp` in UTC
to the millisecond; `Timestamp` beside it is the user's clock and not read. Prices come as binary
floating point leaves them. `commission` is without the fees of exchange, clearing and NFA.
"""

from decimal import Decimal

from imports.columns import Floating, Identifier, Moment, Name, Quantity, Side, Text
from imports.dialect import Dialect
from imports.formats import Column, Format

FORMAT = Format(
    name="tradovate-fills",
    title="Tradovate fills",
    columns=(
        Column(
            "instrument",
            ("Contract",),
            Name(100, "missing_instrument", "a contract like ESM6"),
            required=True,
        ),
        Column("side", ("B/S",), Side({"buy": "buy", "sell": "sell"}), required=True),
        Column("quantity", ("Quantity",), Quantity("invalid_quantity"), required=True),
        Column("price", ("Price",), Floating("invalid_price"), required=True),
        Column("executed_at", ("_timestamp",), Moment(), required=True),
        Column("account", ("Account",), Text(100), required=True),
        Column("native_id", ("Fill ID",), Identifier(200), required=True),
        Column("commission", ("commission",), Floating("invalid_commission", blank=Decimal(0))),
        Column("order_id", ("Order ID",), Text(200)),
    ),
    dialect=Dialect(),
)
