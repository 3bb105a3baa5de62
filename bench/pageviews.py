"""The steps that look at the pages of imports: fill the tables, ask for each page."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench.step import calm_down
from imports.models import ImportExecutionLog
from imports.states import Status
from trades.models import Account, Instrument

LIST_MOST, PART_MOST = 500, 200  # milliseconds
TIMES = 7
BAD, KNOWN = 10, 7  # one line of so many fails, and one is known

ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(rows)s)
    INSERT INTO import_execution_row_logs (import_id, row_number, status, error_category,
        error_message, validation_errors, raw_row_data)
    SELECT %(log)s, i + 1,
        CASE WHEN i %% 10 = 0 THEN 'failed' WHEN i %% 7 = 0 THEN 'skipped' ELSE 'success' END,
        CASE WHEN i %% 10 = 0 THEN 'validation_error' WHEN i %% 7 = 0 THEN 'duplicate_error'
            ELSE '' END,
        CASE WHEN i %% 10 = 0 THEN 'line ' || i || ', Quantity: ''abc'' is not a number'
            ELSE '' END,
        CASE WHEN i %% 10 = 0 THEN '[{"field": "Quantity", "code": "invalid_quantity", '
            || '"error": "''abc'' is not a number"}]' ELSE '[]' END,
        '["MNQ 03-26", "Buy", "1", "21350.50", "1/5/2026 6:35:03 AM", "exec-1", "Sim101"]'
    FROM n
"""
TRADES = """
    INSERT INTO trades (account_id, instrument_id, execution_id, side, quantity, price, commission,
        executed_at, order_id, name, entry_exit, broker_position, connection, notes, reviewed,
        import_row_log_id, created_at)
    SELECT %(account)s, %(instrument)s, 'exec-' || id, 'buy', 1, 21350.5, 0, %(now)s, '', '', '',
        '', '', '', %(no)s, id, %(now)s
    FROM import_execution_row_logs WHERE import_id = %(log)s AND status = 'success'
"""


@dataclass(frozen=True)
class Look:
    """A page, how long it took at best, how long it may take, and how many questions it asked.

    At best: what else the machine does is no fault of the page.
    """

    name: str
    ms: float
    most: int
    queries: int


def fill(folder: Path) -> dict[str, object]:
    sizes = json.loads((folder / "sizes.json").read_text())
    make_imports(sizes["imports"])
    make_rows(sizes["rows"])
    calm_down()
    return {}


def make_imports(number: int) -> None:
    states = [Status.SUCCESS, Status.PARTIAL, Status.FAILED, Status.ROLLED_BACK]
    logs = [
        ImportExecutionLog(
            file_name=f"fills-{one}.csv",
            status=states[one % len(states)],
            total_rows=300,
            success_rows=200,
            failed_rows=60,
            skipped_rows=40,
            trades_created=200,
            affected_accounts=[f"Sim{one % 40}"],
            processing_time_ms=one,
        )
        for one in range(number - 1)
    ]
    ImportExecutionLog.objects.bulk_create(logs, batch_size=1_000)


def make_rows(number: int) -> None:
    """The newest import, and all its lines and trades, by the database itself."""
    failed = number // BAD
    known = number // KNOWN - number // (BAD * KNOWN)
    log = ImportExecutionLog.objects.create(
        file_name="large.csv",
        status=Status.PARTIAL,
        header=["Instrument", "Action", "Quantity", "Price", "Time", "ID", "Account"],
        total_rows=number,
        success_rows=number - failed - known,
        failed_rows=failed,
        skipped_rows=known,
        trades_created=number - failed - known,
        processing_time_ms=9_000,
    )
    values = {
        "rows": number,
        "log": log.pk,
        "account": Account.objects.create(name="Sim101").pk,
        "instrument": Instrument.objects.create(symbol="MNQH26", root="MNQ", kind="future").pk,
        "now": timezone.now(),
        "no": False,
    }
    with connection.cursor() as cursor:
        cursor.execute(ROWS, values)
        cursor.execute(TRADES, values)


def look(folder: Path) -> dict[str, object]:
    settings.ALLOWED_HOSTS = ["testserver"]
    return {"pages": [asdict(one) for one in look_at_all()]}


def look_at_all() -> list[Look]:
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    large = ImportExecutionLog.objects.get(file_name="large.csv")
    listing = reverse("import-logs")
    last = ImportExecutionLog.objects.count() // 25 + 1
    middle = large.total_rows // 2
    looks = [
        look_at(client, "list", listing, LIST_MOST),
        look_at(client, "list, last page", f"{listing}?page={last}", LIST_MOST),
        look_at(client, "list, 100 per page", f"{listing}?per_page=100", LIST_MOST),
        look_at(client, "list, one account", f"{listing}?account=Sim7", LIST_MOST),
        look_at(client, "list, file name", f"{listing}?search=s-99", LIST_MOST),
        look_at(client, "list, sorted", f"{listing}?sort_by=total_rows", LIST_MOST),
    ]
    for tab in ("rows", "errors", "performance", "detail"):
        address = reverse(f"import-{tab}", args=[large.pk])
        starts = {
            "": "first",
            f"?from={middle}": "middle",
            f"?from={large.total_rows - 20}": "last",
        }
        for query, words in starts.items() if tab != "performance" else [("", "only")]:
            looks.append(look_at(client, f"{tab}, {words} page", address + query, PART_MOST))
    return looks


def look_at(client: Client, name: str, address: str, most: int) -> Look:
    """A part of the page is asked for as its script does."""
    headers = {"HX-Request": "true"} if most == PART_MOST else {}
    client.get(address, headers=headers)
    times = []
    for _ in range(TIMES):
        with CaptureQueriesContext(connection) as asked:
            begun = time.perf_counter()
            response = client.get(address, headers=headers)
            times.append(1000 * (time.perf_counter() - begun))
        if response.status_code != 200:
            raise AssertionError(f"{address} answered {response.status_code}")
    return Look(name, round(min(times), 1), most, len(asked))
