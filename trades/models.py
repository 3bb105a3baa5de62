"""Accounts, instruments and trades: a trade is one fill, as the broker reported it."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from trades.daytotals import DayTotal, DayZone
from trades.decimals import ExactDecimalField, plain
from trades.issues import IntegrityIssue
from trades.positionmodels import Position, PositionTrade
from trades.touched import TouchedPair

__all__ = [
    "Account",
    "DayTotal",
    "DayZone",
    "ExactDecimalField",
    "Instrument",
    "IntegrityIssue",
    "Position",
    "PositionTrade",
    "TouchedPair",
    "Trade",
    "plain",
]


def validate_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"'{name}' is no time zone; expected a name like America/Chicago.")


class Account(models.Model):
    """An account at a broker, under the name that its files use."""

    name = models.CharField(max_length=100, unique=True)
    broker = models.CharField(max_length=100, blank=True)
    currency = models.CharField(
        max_length=3, blank=True, help_text="ISO 4217, for example USD. Empty: unknown."
    )
    timezone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_zone],
        help_text="IANA zone of the times in its files, for example America/Chicago. "
        "Empty: the zone of this installation.",
    )
    is_active = models.BooleanField(default=True)
    # Whether its broker is trusted where it states a position (trusting.py).
    states_positions = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        db_table = "accounts"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Instrument(models.Model):
    """What is traded. One row however a file spells it: MNQ 12-25, MNQ DEC25, MNQZ5."""

    class Kind(models.TextChoices):
        FUTURE = "future"
        STOCK = "stock"
        OPTION = "option"
        FOREX = "forex"
        CRYPTO = "crypto"

    symbol = models.CharField(max_length=50, unique=True)
    root = models.CharField(max_length=50)
    expiry = models.DateField(
        "expiry month", null=True, blank=True, help_text="First day of the month."
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217. Empty: unknown.")
    point_value = ExactDecimalField(
        null=True,
        blank=True,
        help_text="Currency per 1.00 of the displayed price and per contract. Empty: unknown, "
        "and so is the P&L; it is never guessed.",
    )
    tick_size = ExactDecimalField(null=True, blank=True)

    class Meta:
        db_table = "instruments"
        ordering = ["symbol", "id"]

    def __str__(self) -> str:
        return self.symbol


class Trade(models.Model):
    """One fill as the broker reported it; never a round trip.

    The keys carry no database constraint and no index that no query needs: together they cost
    half of an import. Every import chunk checks them in one question instead.
    """

    class Side(models.TextChoices):
        BUY = "buy", "Buy"
        SELL = "sell", "Sell"
        SELL_SHORT = "sell_short", "Sell short"
        BUY_TO_COVER = "buy_to_cover", "Buy to cover"

    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="trades"
    )
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, db_constraint=False, db_index=False, related_name="trades"
    )
    execution_id = models.CharField(max_length=200)
    side = models.CharField(max_length=12, choices=Side.choices)
    quantity = ExactDecimalField()
    price = ExactDecimalField()
    commission = ExactDecimalField(default=0, help_text="A cost is positive, a rebate negative.")
    executed_at = models.DateTimeField()
    order_id = models.CharField("order", max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    entry_exit = models.CharField("entry or exit", max_length=50, blank=True)
    broker_position = models.CharField(
        max_length=50, blank=True, help_text="The broker's own position after the fill, as given."
    )
    connection = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True, default="", db_default="")
    reviewed = models.BooleanField(default=False, db_default=False)
    import_row_log = models.ForeignKey(
        "imports.ImportRowLog",
        models.SET_NULL,
        null=True,
        editable=False,
        db_constraint=False,
        related_name="trades",
    )
    batch = models.ForeignKey(
        "batches.Batch",
        models.SET_NULL,
        null=True,
        editable=False,
        db_constraint=False,
        db_index=False,
        related_name="trades",
    )
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        db_table = "trades"
        ordering = ["-executed_at", "-id"]
        indexes = [
            models.Index(fields=["executed_at", "id"], name="trades_newest"),
            models.Index(
                fields=["account", "instrument", "executed_at", "id"], name="trades_fill_order"
            ),
            models.Index(
                fields=["batch", "id"],
                condition=models.Q(batch__isnull=False),
                name="trades_of_batches",
            ),
            # Few brokers say so; of the others it has no row.
            models.Index(
                fields=["account", "instrument", "executed_at"],
                condition=models.Q(side__in=["sell_short", "buy_to_cover"]),
                name="trades_told_as_short",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="trades_quantity_is_positive"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {plain(self.quantity)} at {plain(self.price)}"
