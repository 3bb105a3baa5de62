"""Migrations forward, backward and forward again; and the backfill of the ledger."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from imports.models import ImportedExecution
from tests.conftest import TakeIn, file_of, fill
from trades.models import Trade

BACKFILL = import_module("imports.migrations.0003_backfill_ledger")
OURS = ("batches", "imports", "joblogs", "orders", "trades")


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if not name.startswith("pg_")}


def backfill() -> None:
    BACKFILL.backfill(apps, None)


def forget_backfill() -> None:
    BACKFILL.forget_backfill(apps, None)


def ledger() -> list[tuple]:
    rows = ImportedExecution.objects.order_by("execution_id", "account")
    return [*rows.values_list("execution_id", "account", "instrument", "trade", "csv_filename")]


@pytest.fixture
def older(take_in: TakeIn) -> list[Trade]:
    """Trades from before there was a ledger, more than one slice of them."""
    take_in(file_of(*[fill(ID=f"older-{number}") for number in range(5)]))
    ImportedExecution.objects.all().delete()
    return [*Trade.objects.order_by("execution_id")]


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACKFILL, "SLICE", 2)


def test_the_backfill_enters_older_trades(older: list[Trade]) -> None:
    backfill()
    assert ledger() == [
        (trade.execution_id, trade.account_id, trade.instrument_id, trade.pk, "BACKFILL")
        for trade in older
    ]


def test_the_backfill_belongs_to_no_import(older: list[Trade]) -> None:
    backfill()
    assert not ImportedExecution.objects.exclude(import_log=None).exists()


def test_the_backfill_leaves_what_the_ledger_has(older: list[Trade], take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="newer")))
    backfill()
    backfill()
    names = ImportedExecution.objects.values_list("csv_filename", flat=True).order_by("id")
    assert [*names] == ["fills.csv"] + ["BACKFILL"] * 5


def test_of_two_older_trades_with_one_identity_the_first_is_entered(older: list[Trade]) -> None:
    Trade.objects.filter(pk__in=[older[1].pk, older[4].pk]).update(execution_id="older-0")
    backfill()
    assert ImportedExecution.objects.get(execution_id="older-0").trade_id == older[0].pk
    assert ImportedExecution.objects.count() == 3


def test_what_was_entered_is_known_to_an_import(older: list[Trade], take_in: TakeIn) -> None:
    backfill()
    assert take_in(file_of(fill(ID="older-0"), fill(ID="newer"))).skipped_rows == 1


def test_the_reverse_removes_exactly_what_was_entered(older: list[Trade], take_in: TakeIn) -> None:
    take_in(file_of(fill(ID="newer")))
    take_in(file_of(fill(ID="newest")), "BACKFILL")
    before = ledger()
    backfill()
    assert ledger() != before
    forget_backfill()
    assert ledger() == before


def test_no_trades_need_no_backfill(db: None) -> None:
    backfill()
    assert ledger() == []


# --- All of them


@pytest.fixture
def migrated_afterwards(transactional_db: None) -> Iterator[None]:
    yield
    call_command("migrate", verbosity=0)


def test_all_migrations_go_back_and_forth(migrated_afterwards: None) -> None:
    before = tables()
    executor = MigrationExecutor(connection)
    executor.migrate([(app, None) for app in OURS])
    gone = {model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()}
    assert tables() == before - gone
    call_command("migrate", verbosity=0)
    assert tables() == before


def test_the_backfill_is_a_migration(migrated_afterwards: None, take_in: TakeIn) -> None:
    take_in(file_of(fill()))
    call_command("migrate", "imports", "0002", verbosity=0)
    ImportedExecution.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert ImportedExecution.objects.get().csv_filename == "BACKFILL"
    call_command("migrate", "imports", "0002", verbosity=0)
    assert not ImportedExecution.objects.exists()


def test_the_models_have_no_change_without_a_migration(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
