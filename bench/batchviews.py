"""The steps that look at the pages of batches: fill the tables, ask for each page."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from batches.models import Batch
from batches.states import Status
from bench.pageviews import LIST_MOST, PART_MOST, Look, look_at
from bench.step import calm_down
from trades.models import Account, Instrument

ACTIVE = 20  # batches that wait or run
TRADES = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(trades)s)
    INSERT INTO batch_trades (batch_id, sequence, account_id, instrument_id, side, quantity, price,
        commission, order_id, trade_name, notes, raw, status, attempts, error_message, errors)
    SELECT %(batch)s, i, %(account)s, %(instrument)s, 'buy', 1, 21350.5, 0.52, 'O-' || i, '', '',
        '{"Quantity": "1", "Price": "21350.50"}',
        CASE WHEN i %% 10 = 0 THEN 'failed' ELSE 'executed' END, 1,
        CASE WHEN i %% 10 = 0 THEN 'Rejected: reason ' || (i %% 7) ELSE '' END, '[]'
    FROM n
"""


def fill(folder: Path) -> dict[str, object]:
    sizes = json.loads((folder / "sizes.json").read_text())
    make_batches(sizes["batches"], sizes["trades"])
    calm_down()
    return {}


def make_batches(number: int, trades: int) -> None:
    """So many batches, some of them active; the newest that has ended has so many trades."""
    now = timezone.now()
    finals = [Status.SUCCESS, Status.PARTIAL_SUCCESS, Status.FAILED, Status.CANCELLED]
    batches = [
        Batch(
            name=f"batch {one}",
            executor="journal",
            status=finals[one % len(finals)],
            total_trades=300,
            executed_trades=200,
            failed_trades=60,
            cancelled_trades=40,
            created_at=now - timedelta(minutes=one),
            started_at=now - timedelta(minutes=one),
            completed_at=now,
        )
        for one in range(1, number - ACTIVE)
    ]
    for one in range(ACTIVE):
        usual = {"name": f"active {one}", "executor": "journal", "total_trades": 300}
        state = {"status": Status.RUNNING, "owner": "elsewhere:1:1:x"} if one % 2 else {}
        batches.append(Batch(**usual, **state, queued_at=now, executed_trades=100 + one))
    Batch.objects.bulk_create(batches, batch_size=1_000)
    make_large(trades)


def make_large(trades: int) -> None:
    """The trades by the database itself."""
    large = Batch.objects.create(
        name="large",
        executor="journal",
        status=Status.PARTIAL_SUCCESS,
        total_trades=trades,
        executed_trades=trades - trades // 10,
        failed_trades=trades // 10,
        completed_at=timezone.now(),
    )
    values = {
        "trades": trades,
        "batch": large.pk,
        "account": Account.objects.create(name="Sim101").pk,
        "instrument": Instrument.objects.create(symbol="MNQH26", root="MNQ", kind="future").pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(TRADES, values)


def look(folder: Path) -> dict[str, object]:
    settings.ALLOWED_HOSTS = ["testserver"]
    return {"pages": [asdict(one) for one in look_at_all()]}


def look_at_all() -> list[Look]:
    client = Client()
    client.force_login(User.objects.create_superuser("bench of batches"))
    large = Batch.objects.get(name="large")
    history, one = reverse("batch-history"), reverse("batch", args=[large.pk])
    last = Batch.objects.count() // 25
    by_api = f"/api/batches/{large.batch_uid}"
    pages = {
        "dashboard": reverse("batches"),
        "history": history,
        "history, last page": f"{history}?page={last}",
        "history, failed": f"{history}?status=failed",
        "history, searched": f"{history}?search=99",
        "a long batch": one,
        "a long batch, last page": f"{one}?page=2000",
        "a long batch, failed": f"{one}?status=failed",
        "API: batches": "/api/batches",
        "API: trades of a long batch": f"{by_api}/trades",
        "API: errors of a long batch": f"{by_api}/errors",
    }
    parts = {
        "API: active batches": "/api/batches/active",
        "API: progress": f"{by_api}/progress",
    }
    return [
        *(look_at(client, name, address, LIST_MOST) for name, address in pages.items()),
        *(look_at(client, name, address, PART_MOST) for name, address in parts.items()),
    ]
