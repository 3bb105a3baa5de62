"""An account is trusted if its broker states positions anywhere in it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0011_positions_of_unknown_pnl'),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='states_positions',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
