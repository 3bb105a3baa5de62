"""The colours and icons of the states of batches and of their trades."""

from django.utils.safestring import SafeString

from batches.models import Batch, BatchTrade
from batches.states import Status, TradeStatus
from web.badges import Badge

OF_BATCHES = {
    Status.PENDING: Badge("plain", "draft"),
    Status.RUNNING: Badge("info", "autorenew"),
    Status.SUCCESS: Badge("success", "check_circle"),
    Status.PARTIAL_SUCCESS: Badge("warning", "error"),
    Status.FAILED: Badge("danger", "cancel"),
    Status.CANCELLED: Badge("plain", "block"),
}
OF_TRADES = {
    TradeStatus.PENDING: Badge("plain", "hourglass_empty"),
    TradeStatus.EXECUTING: Badge("info", "autorenew"),
    TradeStatus.EXECUTED: Badge("success", "check_circle"),
    TradeStatus.FAILED: Badge("danger", "cancel"),
    TradeStatus.CANCELLED: Badge("plain", "block"),
}
WAITS = Badge("info", "hourglass_empty")
STOPS = Badge("warning", "autorenew")
UNDOES = Badge("info", "undo")
UNDONE = Badge("plain", "undo")


def batch_badge(batch: Batch) -> SafeString:
    """Its state, in the words of who looks at it: a batch that waits is not only pending."""
    if batch.waits_for_worker:
        return WAITS.html("Waiting for a worker")
    if batch.status == Status.RUNNING and batch.cancel_requested:
        return STOPS.html("Being cancelled")
    if batch.is_being_undone:
        return UNDOES.html("Being rolled back")
    if batch.undone_at:
        return UNDONE.html("Rolled back")
    return OF_BATCHES[Status(batch.status)].html(batch.get_status_display())


def trade_badge(trade: BatchTrade) -> SafeString:
    return OF_TRADES[TradeStatus(trade.status)].html(trade.get_status_display())


def staged_badge(*, is_good: bool) -> SafeString:
    """What a line of a file that is not staged yet would be."""
    status = TradeStatus.PENDING if is_good else TradeStatus.FAILED
    return OF_TRADES[status].html(status.label)
