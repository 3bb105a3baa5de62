"""A backup of tradelog: one trade per line, with all that users have added to it.

Written by `manage.py backup`. Its lines are JSON (imports/backuplines.py) and are read as if these
were their columns; so its failed lines can be downloaded as CSV, corrected and brought back.
"""

from imports.columns import Flag, Moment, Name, Number, Quantity, Side, Verbatim
from imports.formats import Column, Format

LONGEST_NOTES = 4 << 20  # characters, as many as a line of a backup may have

FORMAT = Format(
    name="tradelog-backup",
    title="tradelog backup",
    columns=(
        Column("account", ("account",), Verbatim(100), required=True),
        Column(
            "instrument",
            ("instrument",),
            Name(100, "missing_instrument", "a symbol like MNQ 03-26"),
            required=True,
        ),
        Column(
            "native_id",
            ("execution_id",),
            Name(200, "missing_id", "the identity of the execution"),
            required=True,
        ),
        Column(
            "side",
            ("side",),
            Side({side: side for side in ("buy", "sell", "sell_short", "buy_to_cover")}),
            required=True,
        ),
        Column("quantity", ("quantity",), Quantity("invalid_quantity"), required=True),
        Column("price", ("price",), Number("invalid_price"), required=True),
        Column("commission", ("commission",), Number("invalid_commission"), required=True),
        Column("executed_at", ("executed_at",), Moment(), required=True),
        Column("order_id", ("order_id",), Verbatim(200), required=True),
        Column("name", ("name",), Verbatim(200), required=True),
        Column("entry_exit", ("entry_exit",), Verbatim(50), required=True),
        Column("broker_position", ("broker_position",), Verbatim(50), required=True),
        Column("connection", ("connection",), Verbatim(100), required=True),
        Column("notes", ("notes",), Verbatim(LONGEST_NOTES), required=True),
        Column("reviewed", ("reviewed",), Flag(), required=True),
    ),
)
