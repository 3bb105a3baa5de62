"""The fields of an instruction: how each is called, which headings mean it, how a cell is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from imports.columns import Moment, Number, Quantity, Reader, Side, Text
from imports.formats import Column, normal
from trades.models import Trade

Kind = Literal["text", "choice", "number", "moment"]


@dataclass(frozen=True)
class Field:
    """`headings` are those that files use for it, in lower case; the first is shown to users."""

    name: str
    label: str
    kind: Kind
    read: Reader
    headings: tuple[str, ...]
    required: bool = False
    help: str = ""

    def column(self, *headings: str) -> Column:
        """As the readers of files know it: below one of these headings, or any that means it."""
        return Column(self.name, headings or self.headings, self.read, self.required)


SIDES = (
    {side: side for side in Trade.Side.values}
    | dict.fromkeys(["b", "bot", "bought", "long"], "buy")
    | dict.fromkeys(["s", "sld", "sold"], "sell")
    | dict.fromkeys(["sellshort", "ss", "short"], "sell_short")
    | dict.fromkeys(["buytocover", "btc", "cover"], "buy_to_cover")
)

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field(
            "account",
            "Account",
            "text",
            Text(100),
            ("account", "account display name", "account name", "acct"),
            required=True,
            help="An account that exists.",
        ),
        Field(
            "instrument",
            "Instrument",
            "text",
            Text(100),
            ("instrument", "symbol", "ticker", "contract"),
            required=True,
            help="A symbol like MNQ 03-26.",
        ),
        Field(
            "side",
            "Side",
            "choice",
            Side(SIDES),
            ("side", "action", "buy/sell", "buy-sell", "b/s", "direction"),
            required=True,
            help="Buy, sell, sell short or buy to cover.",
        ),
        Field(
            "quantity",
            "Quantity",
            "number",
            Quantity("invalid_quantity"),
            ("quantity", "qty", "contracts", "shares", "size", "volume"),
            required=True,
            help="Above zero.",
        ),
        Field(
            "price",
            "Price",
            "number",
            Number("invalid_price"),
            ("price", "fill price", "avg price", "limit price", "limit"),
        ),
        Field(
            "commission",
            "Commission",
            "number",
            Number("invalid_commission", blank=Decimal(0)),
            ("commission", "fee", "fees"),
            help="A cost is positive, a rebate negative.",
        ),
        Field(
            "executed_at",
            "Time",
            "moment",
            Moment(),
            ("time", "executed at", "executed_at", "execution time", "date/time", "timestamp"),
            help="Empty: the moment of its execution.",
        ),
        Field("order_id", "Order", "text", Text(200), ("order id", "order_id", "order", "orderid")),
        Field("trade_name", "Name", "text", Text(200), ("name", "trade name", "trade_name")),
        Field("notes", "Notes", "text", Text(10_000), ("notes", "note", "comment")),
    )
}


def labelled(names: Iterable[str]) -> str:
    """The labels of these fields, for a sentence: "Account, Side"."""
    return ", ".join(FIELDS[name].label for name in names)


def field_meant(heading: str) -> str:
    """The field that a heading means by itself; '' if none."""
    known = normal(heading)
    return next((field.name for field in FIELDS.values() if known in field.headings), "")
