"""Positions after whose fills the broker states something are looked at anew, for their issues."""

from django.db import migrations
from django.db.models import Min


def mark(apps, schema_editor):
    told = apps.get_model("trades", "Trade").objects.exclude(broker_position__in=("", "-"))
    rows = told.order_by().values_list("account_id", "instrument_id")
    touched = apps.get_model("trades", "TouchedPair")
    touched.objects.bulk_create(
        (
            touched(account_id=account, instrument_id=instrument, since=since)
            for account, instrument, since in rows.annotate(since=Min("executed_at"))
        ),
        batch_size=1_000,
    )


class Migration(migrations.Migration):
    dependencies = [("trades", "0012_trusted_accounts")]
    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
