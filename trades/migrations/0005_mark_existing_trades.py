"""Trades that are there already get positions: their accounts and instruments are marked."""

from django.db import migrations
from django.db.models import Min


def mark(apps, schema_editor):
    trades = apps.get_model("trades", "Trade").objects.order_by()
    rows = trades.values_list("account_id", "instrument_id").annotate(since=Min("executed_at"))
    touched = apps.get_model("trades", "TouchedPair")
    touched.objects.bulk_create(
        (
            touched(account_id=account, instrument_id=instrument, since=since)
            for account, instrument, since in rows
        ),
        batch_size=1_000,
    )


def unmark(apps, schema_editor):
    apps.get_model("trades", "TouchedPair").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("trades", "0004_positions_issues_marks")]
    operations = [migrations.RunPython(mark, unmark)]
