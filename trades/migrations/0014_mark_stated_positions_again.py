"""The same once more: fills of one moment follow what the broker states to the last of them."""

from importlib import import_module

from django.db import migrations

mark = import_module("trades.migrations.0013_mark_stated_positions").mark


class Migration(migrations.Migration):
    dependencies = [("trades", "0013_mark_stated_positions")]
    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
