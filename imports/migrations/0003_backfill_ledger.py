"""Enter the trades that are older than the ledger, so that no import takes them in again."""

from django.db import migrations

SLICE = 5_000


def backfill(apps, schema_editor):
    Trade = apps.get_model("trades", "Trade")
    ImportedExecution = apps.get_model("imports", "ImportedExecution")
    last = 0
    while trades := list(Trade.objects.filter(pk__gt=last).order_by("pk")[:SLICE]):
        # Of trades with the same identity the oldest stands in the ledger.
        ImportedExecution.objects.bulk_create(
            [
                ImportedExecution(
                    account_id=trade.account_id,
                    execution_id=trade.execution_id,
                    instrument_id=trade.instrument_id,
                    trade_id=trade.pk,
                    csv_filename="BACKFILL",
                )
                for trade in trades
            ],
            ignore_conflicts=True,
        )
        last = trades[-1].pk


def forget_backfill(apps, schema_editor):
    ImportedExecution = apps.get_model("imports", "ImportedExecution")
    # Without an import, because a user's file may have that name too.
    ImportedExecution.objects.filter(csv_filename="BACKFILL", import_log=None).delete()


class Migration(migrations.Migration):
    dependencies = [("imports", "0002_keys_and_constraints")]
    operations = [migrations.RunPython(backfill, forget_backfill)]
