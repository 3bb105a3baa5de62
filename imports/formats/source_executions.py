"""Executions of a source database, as the import of a date range writes them down: one line each.

Such a file is a proof of what the source said, and can be downloaded and imported elsewhere. Only
those columns are there that the source has; `Day` says for which day the line was asked. Times
carry their offset, numbers a decimal point.
"""

from decimal import Decimal

from imports.columns import Identifier, Moment, Name, Number, Quantity, Side, Text
from imports.dialect import Dialect
from imports.formats import Column, Format

FORMAT = Format(
    name="source-executions",
    title="Executions of a source database",
    dialect=Dialect(),
    columns=(
        Column("native_id", ("Execution ID",), Identifier(200)),
        Column("account", ("Account",), Text(100), required=True),
        Column(
            "instrument",
            ("Instrument",),
            Name(100, "missing_instrument", "a symbol like MNQ 03-26"),
            required=True,
        ),
        Column(
            "side",
            ("Side",),
            Side(
                dict.fromkeys(["buy", "b", "bot", "bought"], "buy")
                | dict.fromkeys(["sell", "s", "sld", "sold"], "sell")
                | dict.fromkeys(["sellshort", "sell_short", "ss", "short"], "sell_short")
                | dict.fromkeys(["buytocover", "buy_to_cover", "btc", "cover"], "buy_to_cover")
            ),
            required=True,
        ),
        Column("quantity", ("Quantity",), Quantity("invalid_quantity"), required=True),
        Column("price", ("Price",), Number("invalid_price"), required=True),
        Column("commission", ("Commission",), Number("invalid_commission", blank=Decimal(0))),
        Column("executed_at", ("Executed At",), Moment(), required=True),
        Column("order_id", ("Order ID",), Text(200)),
        Column("name", ("Name",), Text(200)),
        Column("entry_exit", ("Entry/Exit",), Text(50)),
    ),
)
