"""Positions: the runs of trades of one account and instrument from flat to flat.

They are computed from the trades (positions.py), never edited; notes and tags are the user's.
"""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from trades.decimals import ExactDecimalField, SumField
from web.jsontext import JSONTextField


class PositionQuerySet(models.QuerySet["Position"]):
    def open(self) -> "PositionQuerySet":
        return self.filter(status=Position.Status.OPEN)

    def closed(self) -> "PositionQuerySet":
        return self.exclude(closed_at=None)  # of which there is an index

    def of_unknown_worth(self) -> "PositionQuerySet":
        """Those whose P&L is unknown, because nobody has said what a point is worth."""
        return self.filter(gross_pnl=None)

    def with_remarks(self) -> "PositionQuerySet":
        """Those that have notes or tags: what a user has said."""
        return self.exclude(notes="", tags=[])

    def with_tag(self, tag: str) -> "PositionQuerySet":
        """Those with this very tag."""
        # No `contains`: SQLite would take capital and small letters for the same.
        quoted = models.Value(JSONTextField.encoded(tag))
        tagged = self.exclude(tags=[])  # of which there is an index
        return tagged.filter(GreaterThan(StrIndex("tags", quoted), 0))

    def of_trades(self, trades: models.QuerySet) -> "PositionQuerySet":
        """Those with a fill among these trades, each once: what their deletion would change."""
        parts = PositionTrade.objects.filter(trade__in=trades)
        return self.filter(pk__in=parts.values("position"))

    def totals(self) -> list[dict[str, object]]:
        """By currency, for those are never added up: how many positions there are, how many of
        them of unknown P&L, and the sums of the others' gross_pnl, commission and net_pnl.

        A list of dicts with currency ('' is unknown), positions, unknown, gross_pnl, commission,
        net_pnl (None if all are unknown).
        """
        known = Q(gross_pnl__isnull=False)
        sums = {
            "positions": models.Count("pk"),
            "unknown": models.Count("pk", filter=~known),
            "gross": models.Sum("gross_pnl"),
            "commissions": models.Sum("commission", filter=known),
            "net": models.Sum("net_pnl"),
        }
        names = ["currency", "positions", "unknown", "gross_pnl", "commission", "net_pnl"]
        rows = self.order_by("currency").values("currency").annotate(**sums)
        return [dict(zip(names, row, strict=True)) for row in rows.values_list("currency", *sums)]


class Position(models.Model):
    """One run from flat to flat, or what is open now."""

    class Direction(models.TextChoices):
        LONG = "long"
        SHORT = "short"

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    account = models.ForeignKey(
        "trades.Account", models.CASCADE, db_index=False, related_name="positions"
    )
    # Not by itself: the totals of days follow the positions that are computed (daytotals.py).
    instrument = models.ForeignKey("trades.Instrument", models.PROTECT, related_name="positions")
    direction = models.CharField(max_length=5, choices=Direction.choices)
    status = models.CharField(max_length=6, choices=Status.choices)
    opened_at = models.DateTimeField("opened")
    closed_at = models.DateTimeField("closed", null=True)
    peak_quantity = SumField("peak", help_text="The most that was held at once.")
    open_quantity = SumField("open", help_text="What is held now; 0 once it is closed.")
    entry_quantity = SumField("entered")
    exit_quantity = SumField("exited")
    average_entry = SumField(help_text="Of all entries, by quantity.")
    average_exit = SumField(null=True, help_text="Of all exits, by quantity.")
    average_open = SumField(
        null=True, help_text="What is held has cost this on average; null once it is closed."
    )
    gross_pnl = SumField(
        "gross",
        null=True,
        help_text="Of what was exited, before commission; null: the point value is unknown.",
    )
    commission = SumField(help_text="Of all its fills; a cost is positive.")
    net_pnl = SumField("net", null=True, help_text="Gross less commission; null: unknown.")
    currency = models.CharField(
        max_length=3,
        blank=True,
        help_text="The instrument's, else the account's. Empty: unknown.",
    )
    fills = models.PositiveBigIntegerField(help_text="Trades that it is made of.")
    first_trade = models.ForeignKey(
        "trades.Trade",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="By it a position is known again.",
    )
    notes = models.TextField(blank=True, default="", db_default="")
    tags = JSONTextField(default=list, db_default=[], blank=True, help_text="A list of words.")

    objects = PositionQuerySet.as_manager()

    class Meta:
        db_table = "positions"
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["opened_at", "id"], name="positions_newest"),
            # With all that the dashboard adds up, so that it need not look at the rows.
            models.Index(
                fields=["closed_at", "id", "currency", "account", "instrument", "net_pnl"],
                name="positions_as_closed",
            ),
            models.Index(
                fields=["account", "instrument", "opened_at"], name="positions_by_opening"
            ),
            models.Index(
                fields=["account", "instrument", "closed_at"], name="positions_by_closing"
            ),
            # Few are open, of unknown P&L or have a tag; the others have no row in these.
            models.Index(
                fields=["opened_at", "id"], condition=Q(status="open"), name="positions_open"
            ),
            models.Index(
                fields=["opened_at", "id"], condition=~Q(tags=[]), name="positions_tagged"
            ),
            models.Index(
                fields=["opened_at", "id"],
                condition=Q(gross_pnl=None),
                name="positions_of_unknown_pnl",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False, open_quantity=0)
                | Q(status="open", closed_at__isnull=True, open_quantity__gt=0),
                name="positions_are_flat_once_closed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.instrument} in {self.account}"

    @property
    def net_quantity(self) -> Decimal:
        """What is held now: above 0 if long, below if short."""
        return self.open_quantity if self.direction == self.Direction.LONG else -self.open_quantity


class PositionTrade(models.Model):
    """A fill's part in a position. One that reverses has two: the quantities add up to its own,
    and so do the commissions.

    The trade may be gone for the moment between its deletion and the next recompute.
    """

    position = models.ForeignKey(
        Position, models.CASCADE, db_constraint=False, db_index=False, related_name="parts"
    )
    trade = models.ForeignKey(
        "trades.Trade", models.DO_NOTHING, db_constraint=False, related_name="parts"
    )
    quantity = ExactDecimalField()
    commission = ExactDecimalField()

    class Meta:
        db_table = "position_trades"
        default_permissions = ()  # who sees the position sees them
        ordering = ["position", "id"]  # the order of the fills
        indexes = [models.Index(fields=["position", "id"], name="position_trades_in_order")]

    def __str__(self) -> str:
        return f"trade {self.trade_id} in position {self.position_id}"
