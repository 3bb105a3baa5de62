"""The tables of batches and of their trades: their columns, and how each cell looks."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column, Table

from batches.badges import batch_badge, trade_badge
from batches.models import Batch, BatchTrade
from trades.models import plain

NUMBER = {"td": {"class": "tl-number"}}


class BatchTable(Table):
    """The columns that sort are named as the filters' `sort_by` names them."""

    date = Column(accessor="created_at", verbose_name="Created")
    name = Column(attrs={"td": {"class": "tl-name"}})
    status = Column(attrs={"td": {"class": "tl-status"}})
    progress = Column(accessor="pk", attrs={"td": {"class": "tl-batch-progress"}})
    size = Column(accessor="total_trades", verbose_name="Trades", attrs=NUMBER)
    priority = Column(attrs=NUMBER)
    executor = Column()
    took = Column(accessor="duration_in_words", attrs=NUMBER)

    def __init__(self, batches: Iterable[Batch]) -> None:
        super().__init__(batches, orderable=False)

    def render_date(self, value: datetime) -> SafeString:
        words = date_format(timezone.localtime(value), "DATETIME_FORMAT")
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)

    def render_name(self, value: str, record: Batch) -> SafeString:
        # Isolated: a name that is written from right to left leaves what follows alone.
        return format_html(
            '<a class="tl-link" id="batch-{}" href="{}"><bdi>{}</bdi></a>',
            record.pk,
            record.get_absolute_url(),
            value,
        )

    def render_status(self, record: Batch) -> SafeString:
        return batch_badge(record)

    def render_progress(self, record: Batch) -> SafeString:
        return render_to_string("batches/progress.html", {"batch": record})

    def render_size(self, value: int) -> str:
        return intcomma(value)


class BatchTradeTable(Table):
    """`executed_at` is the moment that was asked for; the trade itself says when it was done."""

    sequence = Column(verbose_name="No.", attrs=NUMBER)
    status = Column()
    account = Column(accessor="account__name")
    instrument = Column(accessor="instrument__symbol")
    side = Column(accessor="get_side_display")
    quantity = Column(attrs=NUMBER)
    price = Column(attrs=NUMBER)
    filled_at = Column(accessor="trade__price", verbose_name="Filled at", attrs=NUMBER)
    attempts = Column(attrs=NUMBER)
    error_message = Column(verbose_name="Message", attrs={"td": {"class": "tl-message"}})
    trade = Column(accessor="trade_id", verbose_name="Trade")

    def __init__(
        self, trades: Iterable[BatchTrade], user: AbstractBaseUser | AnonymousUser
    ) -> None:
        super().__init__(trades, orderable=False)
        self.sees_trades = rights(user)["see_trades"]

    def render_status(self, record: BatchTrade) -> SafeString:
        return trade_badge(record)

    def render_quantity(self, value: Decimal, record: BatchTrade) -> str:
        """How much was asked for; before it what was filled of it, if that is less."""
        filled = record.filled_quantity
        if filled is not None and filled != value:
            return f"{plain(filled)} of {plain(value)}"
        return plain(value)

    def render_price(self, value: Decimal) -> str:
        return plain(value)

    render_filled_at = render_price

    def render_trade(self, value: int) -> SafeString | str:
        """With an id, by which a link keeps the focus when the list is renewed."""
        if not self.sees_trades:
            return str(value)
        page = reverse("trade", args=[value])
        return format_html('<a class="tl-link" id="booked-{}" href="{}">{}</a>', value, page, value)


def rights(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """What the user may do with batches."""
    deeds = ("add", "start", "cancel", "retry", "archive", "undo", "delete")
    return {deed: user.has_perm(f"batches.{deed}_batch") for deed in deeds} | {
        "add_template": user.has_perm("batches.add_batchtemplate"),
        "change_template": user.has_perm("batches.change_batchtemplate"),
        "delete_template": user.has_perm("batches.delete_batchtemplate"),
        "see_trades": user.has_perm("trades.view_trade"),
    }
