"""Where trades come from and where they go: their lines and their positions, for many at once."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from trades.models import IntegrityIssue, Position, PositionTrade, Trade


def every_trade() -> QuerySet[Trade]:
    """Trades with all that a list says of them."""
    return Trade.objects.select_related("account", "instrument", "import_row_log__import_log")


def every_position() -> QuerySet[Position]:
    return Position.objects.select_related("account", "instrument")


def every_issue() -> QuerySet[IntegrityIssue]:
    return IntegrityIssue.objects.select_related("account", "instrument", "dismissed_by")


def of_import(trades: QuerySet[Trade], number: int) -> QuerySet[Trade]:
    """By the lines of the import; once these are deleted, by the ledger."""
    row_logs = Trade.import_row_log.field.related_model
    imports = row_logs.import_log.field.related_model.objects
    log = imports.filter(pk=number, rows_deleted_at__isnull=False).first()
    if log is None:
        return trades.filter(import_row_log__import_log=number)
    return trades.filter(pk__in=log.ledger_rows.order_by().values("trade_id"))


def trades_by_key(keys: Iterable[int]) -> dict[int, Trade]:
    """These trades, without those that are gone."""
    return every_trade().in_bulk({*keys})


def positions_of(trades: Iterable[Trade]) -> dict[int, list[int]]:
    """The numbers of the one or two positions of each trade, by the number of the trade."""
    parts = PositionTrade.objects.filter(trade__in=[trade.pk for trade in trades]).order_by("pk")
    found = defaultdict(list)
    for trade, position in parts.values_list("trade_id", "position_id"):
        found[trade].append(position)
    return dict(found)
