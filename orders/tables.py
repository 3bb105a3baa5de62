"""The table of open orders: its columns, and how each cell looks."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column, Table

from orders.models import OpenOrder
from trades.models import plain
from web.badges import Badge

PROBLEMS = Badge("warning", "error")


class Number(Column):
    """Without the zeros that only fill up its column."""

    def __init__(self, title: str | None = None) -> None:
        super().__init__(verbose_name=title, attrs={"td": {"class": "tl-number"}})

    def render(self, value: Decimal) -> str:
        return plain(value)


class Moment(Column):
    def __init__(self, title: str) -> None:
        super().__init__(verbose_name=title, attrs={"td": {"class": "tl-moment"}})

    def render(self, value: datetime) -> SafeString:
        """Without the year, for which a list has no room."""
        there = timezone.localtime(value)
        words = date_format(there, "DATETIME_FORMAT")
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            value.isoformat(),
            words,
            f"{there:%m-%d %H:%M:%S}",
        )


class OrderTable(Table):
    """Columns are named as the filters' `sort_by` names them. What is empty shows as —."""

    order_id = Column(verbose_name="Order", empty_values=())
    account = Column()
    instrument = Column()
    side = Column()
    type = Column()
    time_in_force = Column(verbose_name="TIF")
    quantity = Number("Qty")
    filled = Number()
    remaining = Number("Left")
    limit_price = Number("Limit")
    stop_price = Number("Stop")
    state = Column()
    submitted_at = Moment("Submitted")
    updated_at = Moment("Updated")

    def render_order_id(self, record: OpenOrder) -> SafeString:
        # Isolated: a text that is written from right to left leaves what follows alone.
        link = format_html(
            '<a class="tl-link" id="row-{}" href="{}"><bdi>{}</bdi></a>',
            record.number,
            record.get_absolute_url(),
            record,
        )
        return format_html("{} {}", link, PROBLEMS.html("Problems")) if record.problems else link
