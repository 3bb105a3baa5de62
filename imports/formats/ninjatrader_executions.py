"""NinjaTrader 8, grid of executions: one line per fill.

Control Center, tab Executions, right click, Export, file type CSV. Headings are English in every
culture, but numbers, dates and the delimiter follow Windows. Users move and hide columns, so only
what a fill cannot do without is required; `ID` may be missing. Times are the PC's, without zone.
"""

from decimal import Decimal

from imports.columns import Identifier, Moment, Name, Number, Price, Quantity, Side, Text
from imports.formats import Column, Format

FORMAT = Format(
    name="ninjatrader-executions",
    title="NinjaTrader 8 executions grid",
    columns=(
        Column(
            "instrument",
            ("Instrument",),
            Name(100, "missing_instrument", "a symbol like MNQ 03-26"),
            required=True,
        ),
        Column(
            "side",
            ("Action",),
            Side(
                {
                    "buy": "buy",
                    "sell": "sell",
                    "sellshort": "sell_short",
                    "buytocover": "buy_to_cover",
                }
            ),
            required=True,
        ),
        Column("quantity", ("Quantity", "Qty"), Quantity("invalid_quantity"), required=True),
        Column("price", ("Price",), Price("invalid_price"), required=True),
        Column("executed_at", ("Time",), Moment(), required=True),
        Column("account", ("Account", "Account display name"), Text(100), required=True),
        Column("native_id", ("ID",), Identifier(200)),
        Column("commission", ("Commission",), Number("invalid_commission", blank=Decimal(0))),
        Column("order_id", ("Order ID",), Text(200)),
        Column("name", ("Name",), Text(200)),
        Column("entry_exit", ("E/X",), Text(50)),
        Column("broker_position", ("Position",), Text(50)),
        Column("connection", ("Connection",), Text(100)),
    ),
)
