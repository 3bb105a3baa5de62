"""The steps that look at the pages of trades and positions, and at the dashboard."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from bench.pageviews import Look, look_at
from bench.step import calm_down
from imports.models import ImportExecutionLog
from imports.states import Status
from trades.daytotals import count_all
from trades.models import Account, Instrument, Trade

LIST_MOST, DASHBOARD_MOST = 200, 1_000  # milliseconds
ACCOUNTS, INSTRUMENTS, SMALL_IMPORTS = 40, 60, 1_000
ONE_OF = 10  # lines is of a small import

# Line, trade and position of each number; a position is one fill long, as nobody looks at more.
NUMBERS = """
    WITH RECURSIVE n(i) AS (
        SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %(count)s - 1
    )"""
ACCOUNT = f"%(account)s + i %% {ACCOUNTS}"
INSTRUMENT = f"%(instrument)s + (i / {ACCOUNTS}) %% {INSTRUMENTS}"
MOMENTS = {  # of which the last is in three years' time from the first
    "postgresql": "TIMESTAMPTZ '2023-01-02 14:30:00Z' + {} * INTERVAL '1 second'",
    "sqlite": "datetime('2023-01-02 14:30:00', '+' || ({}) || ' seconds')",
}
SPAN = 3 * 365 * 86_400
ROWS = """
    INSERT INTO import_execution_row_logs (import_id, row_number, status, error_category,
        error_message, validation_errors, raw_row_data)
    {numbers} SELECT CASE WHEN i %% 10 = 0 THEN %(log)s + 1 + (i / 10) %% 1000 ELSE %(log)s END,
        i + 2, 'success', '', '', '[]', '["MNQ 03-26", "Buy", "1", "21350.50"]' FROM n
"""
TRADES = """
    INSERT INTO trades (account_id, instrument_id, execution_id, side, quantity, price, commission,
        executed_at, order_id, name, entry_exit, broker_position, connection, notes, reviewed,
        import_row_log_id, created_at)
    {numbers} SELECT {account}, {instrument}, 'exec-' || i,
        CASE WHEN i %% 2 = 0 THEN 'buy' ELSE 'sell' END, 1 + i %% 5,
        20000 + (i * 7919) %% 40009 / 8.0, 0.52, {moment}, '', '', '', '', '', '', {no},
        %(row)s + i, {moment} FROM n
"""
POSITIONS = """
    INSERT INTO positions (account_id, instrument_id, direction, status, opened_at, closed_at,
        peak_quantity, open_quantity, entry_quantity, exit_quantity, average_entry, average_exit,
        average_open, gross_pnl, commission, net_pnl, currency, fills, first_trade_id, notes, tags)
    {numbers}, p(i, is_open, net) AS (
        SELECT i, i %% 5000 = 7, CASE WHEN {instrument} = %(unknown)s THEN NULL
            ELSE ((i * 7919) %% 40009 - 19900) / 8.0 END FROM n
    ) SELECT {account}, {instrument}, CASE WHEN i %% 2 = 0 THEN 'long' ELSE 'short' END,
        CASE WHEN is_open THEN 'open' ELSE 'closed' END, {moment},
        CASE WHEN is_open THEN NULL ELSE {closed} END,
        1 + i %% 5, CASE WHEN is_open THEN 1 ELSE 0 END, 1 + i %% 5, 1 + i %% 5, 20000.5, 20001.5,
        NULL, net + 1.04, 1.04, net, CASE WHEN i %% 20 = 0 THEN 'EUR' ELSE 'USD' END,
        2 + i %% 9, %(trade)s + i, '',
        CASE WHEN i %% 9973 = 1 THEN '["rare"]' WHEN i %% 10 = 1 THEN '["common"]' ELSE '[]' END
    FROM p
"""
PARTS = """
    INSERT INTO position_trades (position_id, trade_id, quantity, commission)
    SELECT id, first_trade_id, 1, 0.52 FROM positions
"""


def fill(folder: Path) -> dict[str, object]:
    make_all(json.loads((folder / "sizes.json").read_text())["trades"])
    calm_down()
    return {}


def make_all(count: int) -> None:
    """So many trades of so many positions, all but some closed, over three years."""
    accounts = [Account.objects.create(name=f"Sim{one}") for one in range(ACCOUNTS)]
    instruments = [
        Instrument.objects.create(symbol=f"X{one}", root="X", kind="stock", point_value=one or None)
        for one in range(INSTRUMENTS)
    ]
    values = {"count": count, "account": accounts[0].pk, "instrument": instruments[0].pk}
    values["unknown"] = instruments[0].pk
    values["log"] = make_imports(count)
    apart = SPAN // count
    with connection.cursor() as cursor:
        moment = MOMENTS[connection.vendor]
        for name, statement in {"row": ROWS, "trade": TRADES, "": POSITIONS}.items():
            cursor.execute(
                statement.format(
                    numbers=NUMBERS,
                    account=ACCOUNT,
                    instrument=INSTRUMENT,
                    moment=moment.format(f"(i * {apart})"),
                    closed=moment.format(f"(i * {apart} + 60 + i % 1200)".replace("%", "%%")),
                    no="FALSE",
                ),
                values,
            )
            if name:
                table = {"row": "import_execution_row_logs", "trade": "trades"}[name]
                cursor.execute(f"SELECT min(id) FROM {table}")
                values[name] = cursor.fetchone()[0]
        cursor.execute(PARTS)
    count_all()


def make_imports(count: int) -> int:
    """A large one, then small ones; the number of the large one."""
    small = count // ONE_OF // SMALL_IMPORTS
    sizes = {"large.csv": count - small * SMALL_IMPORTS}
    sizes |= {f"small-{one}.csv": small for one in range(SMALL_IMPORTS)}
    logs = [
        ImportExecutionLog(
            file_name=name,
            status=Status.SUCCESS,
            total_rows=size,
            success_rows=size,
            trades_created=size,
        )
        for name, size in sizes.items()
    ]
    ImportExecutionLog.objects.bulk_create(logs, batch_size=1_000)
    return ImportExecutionLog.objects.earliest("pk").pk


def look(folder: Path) -> dict[str, object]:
    settings.ALLOWED_HOSTS = ["testserver"]
    return {"pages": [asdict(one) for one in look_at_all()]}


def look_at_all() -> list[Look]:
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    lists = [
        look_at(client, f"{name}: {words}", f"{reverse(name)}{query}", LIST_MOST)
        for name, queries in {"trades": trade_queries(), "positions": position_queries()}.items()
        for words, query in queries
    ]
    return lists + [
        look_at(client, f"dashboard: {words}", address, DASHBOARD_MOST)
        for words, address in dashboard_addresses()
    ]


def trade_queries() -> Iterable[tuple[str, str]]:
    large = ImportExecutionLog.objects.get(file_name="large.csv").pk
    some = Trade.objects.order_by("-pk").values_list("execution_id", flat=True)[100]
    sorts = ("account", "instrument", "side", "quantity", "price", "commission")
    return [
        ("first page", ""),
        ("page 200", "?page=200"),
        ("of an account", "?account=Sim7"),
        ("of two accounts and an instrument", "?account=Sim7&account=Sim8&instrument=X3"),
        ("of an instrument", "?instrument=X3"),
        ("of a month", "?start_date=2024-05-01&end_date=2024-05-31"),
        ("of a side", "?side=buy"),
        ("of a small import", f"?import={large + 5}"),
        ("of the large import", f"?import={large}"),
        ("with an execution ID", f"?search={some}"),
        ("with an unknown execution ID", "?search=nothing"),
        *((f"sorted by {name}", f"?sort_by={name}") for name in sorts),
        *((f"of an account, by {name}", f"?account=Sim7&sort_by={name}") for name in sorts[2:]),
    ]


def position_queries() -> Iterable[tuple[str, str]]:
    sorts = ("closed_at", "account", "instrument", "direction", "status", "peak_quantity")
    return [
        ("first page", ""),
        ("page 200", "?page=200"),
        ("of an account", "?account=Sim7"),
        ("of an instrument", "?instrument=X3"),
        ("closed in a month", "?closed_from=2024-05-01&closed_to=2024-05-31"),
        ("winners", "?pnl=winners"),
        ("losers", "?pnl=losers"),
        ("of unknown P&L", "?pnl=unknown"),
        ("open", "?status=open"),
        ("closed", "?status=closed"),
        ("long", "?direction=long"),
        ("in a rare currency", "?currency=EUR"),
        ("in no currency that there is", "?currency=CHF"),
        ("with a frequent tag", "?tag=common"),
        ("with a rare tag", "?tag=rare"),
        ("with an unknown tag", "?tag=nothing"),
        *((f"sorted by {name}", f"?sort_by={name}") for name in (*sorts, "net_pnl", "fills")),
        ("of an account, by P&L", "?account=Sim7&sort_by=net_pnl"),
    ]


def dashboard_addresses() -> Iterable[tuple[str, str]]:
    figures = reverse("dashboard-part", args=["positions"])
    rest = reverse("dashboard-part", args=["rest"])
    return [
        ("the page", reverse("admin:index")),
        ("the figures of all time", figures),
        ("the rest of all time", f"{rest}?currency=USD"),
        ("the figures of an account", f"{figures}?account=Sim7"),
        ("the rest of an account", f"{rest}?account=Sim7&currency=USD"),
        ("the figures of two accounts", f"{figures}?account=Sim7&account=Sim8"),
        ("the rest of two accounts", f"{rest}?account=Sim7&account=Sim8&currency=USD"),
        ("the figures of a year", f"{figures}?start_date=2024-01-01&end_date=2024-12-31"),
        ("the rest of a year", f"{rest}?start_date=2024-01-01&end_date=2024-12-31&currency=USD"),
    ]
