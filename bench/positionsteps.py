"""The steps that compute positions: of a log of any size, and of one more fill."""

import json
import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bench.step import Clock, calm_down
from trades.bulk import Value, insert
from trades.models import Account, Instrument, Position, Trade
from trades.positions import mark_all, recompute_touched
from trades.touched import Pair, mark

ACCOUNTS = 6
ROOTS = ("MNQ", "MES", "ES", "CL")
BEGIN = datetime(2024, 1, 16, 14, 30, tzinfo=UTC)
APART = timedelta(seconds=23)
TIMES = 5
PIECE = 5_000  # trades
COLUMNS = (
    "account_id",
    "instrument_id",
    "execution_id",
    "side",
    "quantity",
    "price",
    "commission",
    "executed_at",
    "broker_position",
    "order_id",
    "name",
    "entry_exit",
    "connection",
)
EMPTY = ("",) * 4


def fill(folder: Path) -> dict[str, object]:
    """Fills of some accounts and instruments, each flat now and then, some reversing."""
    pairs = [
        (account, instrument)
        for account in [Account.objects.create(name=f"Sim{one}") for one in range(ACCOUNTS)]
        for instrument in map(instrument_of, ROOTS)
    ]
    chance = random.Random(1)
    held = dict.fromkeys(range(len(pairs)), 0)
    count = json.loads((folder / "sizes.json").read_text())["trades"]
    for first in range(0, count, PIECE):
        numbers = range(first, min(count, first + PIECE))
        with transaction.atomic():
            insert(Trade, COLUMNS, [trade(number, pairs, held, chance) for number in numbers])
    calm_down()
    return {}


def instrument_of(root: str) -> Instrument:
    return Instrument.objects.get_or_create(
        symbol=f"{root} 03-26", root=root, kind="future", currency="USD", point_value=2
    )[0]


def trade(
    number: int,
    pairs: list[tuple[Account, Instrument]],
    held: dict[int, int],
    chance: random.Random,
) -> tuple[Value, ...]:
    """One that leads back to flat rather than away from it, in the order of COLUMNS."""
    which = chance.randrange(len(pairs))
    quantity = chance.randint(1, 3)
    is_buy = held[which] < 0 if held[which] and chance.random() < 0.6 else chance.random() < 0.5
    held[which] += quantity if is_buy else -quantity
    net = held[which]
    account, instrument = pairs[which]
    return (
        account.pk,
        instrument.pk,
        str(number),
        "buy" if is_buy else "sell",
        quantity,
        Decimal(2135000 + 25 * chance.randint(-400, 400)) / 100,
        Decimal("0.52") * quantity,
        BEGIN + number * APART,
        f"{abs(net)} {'L' if net > 0 else 'S'}" if net else "-",
        *EMPTY,
    )


def drop_index(folder: Path) -> dict[str, object]:
    """That of closings, so that it can be seen what it costs."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX positions_as_closed")
    return {}


def build(folder: Path) -> dict[str, object]:
    mark_all()
    calm_down()
    clock, begun = Clock(), time.process_time()
    with clock.running():
        recompute_touched()
    cpu = time.process_time() - begun
    return {"seconds": clock.seconds, "cpu": cpu, "positions": Position.objects.count()}


def one_more(folder: Path) -> dict[str, object]:
    """The best of some: the fill, its mark, and what it changes."""
    calm_down()
    last = Trade.objects.order_by("-executed_at", "-pk").first()
    found = [one_behind(last, number) for number in range(1, TIMES + 1)]
    return {"ms": min(ms for ms, _ in found), "queries": max(queries for _, queries in found)}


def one_behind(last: Trade, number: int) -> tuple[float, int]:
    last.pk, last.execution_id = None, f"more-{number}"
    last.executed_at += APART
    with transaction.atomic():
        last.save(force_insert=True)
        mark({Pair(last.account_id, last.instrument_id): last.executed_at})
    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        recompute_touched()
    return 1000 * (time.perf_counter() - begun), len(asked)
