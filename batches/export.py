"""What became of the trades of a batch, as CSV and as JSON.

They are asked for slice by slice, by their sequence: neither memory nor a transaction grows with
the batch.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from batches.models import Batch, BatchTrade
from imports.storing import safe_name
from trades.models import plain
from web.downloads import streamed
from web.formulas import neutral

SLICE = 500  # trades


@dataclass(frozen=True)
class Download:
    content_type: str
    ending: str
    write: Callable[[Batch], Iterator[str]]


def download_of(batch: Batch, form: str) -> StreamingHttpResponse:
    """All trades of a batch as an attachment; `form` is one of DOWNLOADS."""
    chosen = DOWNLOADS[form]
    name = f"{safe_name(batch.name)}-{batch.pk}{chosen.ending}"
    return streamed(chosen.write(batch), name, chosen.content_type)


def trades_of(batch: Batch) -> QuerySet[BatchTrade]:
    """In their sequence, with all that `as_result` asks for."""
    trades = BatchTrade.objects.filter(batch=batch).order_by("sequence")
    return trades.select_related("account", "instrument", "trade")


def slices(batch: Batch) -> Iterator[list[BatchTrade]]:
    last = 0
    while found := list(trades_of(batch).filter(sequence__gt=last)[:SLICE]):
        yield found
        last = found[-1].sequence


def as_result(one: BatchTrade) -> dict[str, object]:
    """A batch trade: what was asked for, and what became of it.

    The price and the commission of what was executed are those of the trade, if it still exists.
    """
    trade = one.trade
    return {
        "sequence": one.sequence,
        "row_number": one.row_number,
        "status": one.status,
        "account": one.account.name if one.account else "",
        "instrument": one.instrument.symbol if one.instrument else "",
        "side": one.side,
        "quantity": number(one.quantity),
        "price": number(one.price),
        "commission": number(one.commission),
        "executed_at": moment(one.executed_at),
        "order_id": one.order_id,
        "trade_name": one.trade_name,
        "notes": one.notes,
        "attempts": one.attempts,
        "message": one.error_message,
        "finished_at": moment(one.finished_at),
        "trade_id": trade.pk if trade else None,
        "execution_id": trade.execution_id if trade else "",
        "filled_quantity": number(one.filled_quantity),
        "filled_price": number(trade.price) if trade else None,
        "filled_commission": number(trade.commission) if trade else None,
        "filled_at": moment(trade.executed_at) if trade else None,
    }


def number(value: Decimal | None) -> str | None:
    return None if value is None else plain(Decimal(value))


def moment(when: datetime | None) -> str | None:
    return when and f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


COLUMNS = list(as_result(BatchTrade()))
NUMBERS = {name for name in COLUMNS if name.split("_")[-1] in ("quantity", "price", "commission")}


def as_csv(batch: Batch) -> Iterator[str]:
    """With the byte order mark by which spreadsheets know UTF-8. Moments are in UTC."""
    yield "\ufeff" + lines([COLUMNS])
    for trades in slices(batch):
        yield lines([cells(as_result(one)) for one in trades])


def cells(result: dict[str, object]) -> list[str]:
    """Texts are made neutral; numbers of ours need it not, and a rebate is to stay a number."""
    texts = {name: "" if value is None else str(value) for name, value in result.items()}
    return [text if name in NUMBERS else neutral(text) for name, text in texts.items()]


def lines(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def as_json(batch: Batch) -> Iterator[str]:
    yield f'{{"batch": {dumped(batch_as_json(batch))}, "results": ['
    separator = "\n"
    for trades in slices(batch):
        yield separator + ",\n".join(dumped(as_result(one)) for one in trades)
        separator = ",\n"
    yield "\n]}\n"


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def batch_as_json(batch: Batch) -> dict[str, object]:
    return {
        "id": batch.pk,
        "batch_id": str(batch.batch_uid),
        "name": batch.name,
        "executor": batch.executor,
        "executor_settings": batch.executor_settings,
        "status": batch.status,
        "priority": batch.priority,
        "parallel": batch.parallel,
        "total_trades": batch.total_trades,
        "processed_trades": batch.processed_trades,
        "executed_trades": batch.executed_trades,
        "failed_trades": batch.failed_trades,
        "cancelled_trades": batch.cancelled_trades,
        "progress_percentage": batch.progress_percentage,
        "is_completed": batch.is_completed,
        "is_active": batch.is_active,
        "cancel_requested": batch.cancel_requested,
        "summary": batch.error_summary,
        "template_id": batch.template_id,
        "created_at": moment(batch.created_at),
        "queued_at": moment(batch.queued_at),
        "started_at": moment(batch.started_at),
        "completed_at": moment(batch.completed_at),
        "updated_at": moment(batch.updated_at),
        "archived_at": moment(batch.archived_at),
        "undone_at": moment(batch.undone_at),
    }


DOWNLOADS = {
    "csv": Download("text/csv; charset=utf-8", "-results.csv", as_csv),
    "json": Download("application/json", "-results.json", as_json),
}
