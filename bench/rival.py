"""django-import-export reads the same file into the trades table: in bulk, and tuned as well.

It has less to do: it writes no row logs and no ledger, and does not ask which lines are known.
"""

from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils import timezone
from import_export.fields import Field
from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.widgets import (
    CachedForeignKeyWidget,
    DateTimeWidget,
    ForeignKeyWidget,
    Widget,
)

from bench.generate import SIDES, ZONE
from bench.step import Clock, calm_down
from trades.models import Account, Instrument, Trade

SIDE_OF = dict(zip(SIDES, ("buy", "sell", "sell_short", "buy_to_cover"), strict=True))


class Amount(Widget):
    """A decimal number with or without a dollar sign."""

    def clean(self, value: str, row: dict | None = None, **kwargs: object) -> Decimal:
        try:
            return Decimal(value.lstrip("$"))
        except InvalidOperation:
            raise ValueError(f"{value} is not a number") from None


class SideWord(Widget):
    def clean(self, value: str, row: dict | None = None, **kwargs: object) -> str:
        if value not in SIDE_OF:
            raise ValueError(f"{value} is no action")
        return SIDE_OF[value]


class TradeResource(ModelResource):
    account = Field("account", "Account", ForeignKeyWidget(Account, "name"))
    instrument = Field("instrument", "Instrument", ForeignKeyWidget(Instrument, "symbol"))
    execution_id = Field("execution_id", "ID")
    side = Field("side", "Action", SideWord())
    quantity = Field("quantity", "Quantity", Amount())
    price = Field("price", "Price", Amount())
    commission = Field("commission", "Commission", Amount())
    executed_at = Field("executed_at", "Time", DateTimeWidget("%m/%d/%Y %I:%M:%S %p"))
    order_id = Field("order_id", "Order ID")
    name = Field("name", "Name")
    entry_exit = Field("entry_exit", "E/X")
    broker_position = Field("broker_position", "Position")
    connection = Field("connection", "Connection")

    class Meta:
        model = Trade
        fields = (
            "id",  # not in the file, which makes every line a new trade
            "account",
            "instrument",
            "execution_id",
            "side",
            "quantity",
            "price",
            "commission",
            "executed_at",
            "order_id",
            "name",
            "entry_exit",
            "broker_position",
            "connection",
        )
        use_bulk = True


class TunedResource(TradeResource):
    """With the settings for speed that its documentation names."""

    account = Field("account", "Account", CachedForeignKeyWidget(Account, "name"))
    instrument = Field("instrument", "Instrument", CachedForeignKeyWidget(Instrument, "symbol"))

    class Meta:
        skip_diff = True
        force_init_instance = True  # do not look for a trade that the line might change


def make_places(folder: Path) -> dict[str, object]:
    """The accounts and instruments of the file, which django-import-export only looks up."""
    rows = CSV(encoding="utf-8-sig").create_dataset((folder / "fills.csv").read_bytes())
    for name in sorted(set(rows["Account"])):
        Account.objects.create(name=name)
    for symbol in sorted(set(rows["Instrument"])):
        Instrument.objects.create(symbol=symbol, root=symbol.split()[0], kind="future")
    return {}


def take_in(folder: Path) -> dict[str, object]:
    return timed(TradeResource(), folder)


def take_in_tuned(folder: Path) -> dict[str, object]:
    return timed(TunedResource(), folder)


def timed(resource: ModelResource, folder: Path) -> dict[str, object]:
    calm_down()
    clock = Clock()
    with clock.running():
        result = run(resource, folder / "fills.csv")
    counts = {"trades": Trade.objects.count(), "bad": len(result.invalid_rows)}
    return {"seconds": clock.seconds, "counts": counts}


def run(resource: ModelResource, path: Path) -> Result:
    rows = CSV(encoding="utf-8-sig").create_dataset(path.read_bytes())
    with timezone.override(ZONE):
        result = resource.import_data(rows)
    if result.has_errors():
        errors = [*result.base_errors, *result.row_errors()][:3]
        raise RuntimeError(f"django-import-export failed: {errors}")
    return result
