"""What accounts close is added up by the day; what was closed is found with all that is added."""

import django.db.models.deletion
import trades.daytotals
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0009_short_names_of_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='DayTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('day', models.DateField()),
                ('positions', models.BigIntegerField()),
                ('closed', models.BigIntegerField()),
                ('wins', models.BigIntegerField()),
                ('losses', models.BigIntegerField()),
                ('gross', trades.daytotals.ExactSumField(decimal_places=10, max_digits=60)),
                ('net', trades.daytotals.ExactSumField(decimal_places=10, max_digits=60)),
                ('won', trades.daytotals.ExactSumField(decimal_places=10, max_digits=60)),
                ('held', models.BigIntegerField()),
            ],
            options={
                'db_table': 'day_totals',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DayZone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('zone', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'day_zones',
                'default_permissions': (),
            },
        ),
        migrations.RemoveIndex(
            model_name='position',
            name='positions_last_closed',
        ),
        migrations.AlterField(
            model_name='position',
            name='instrument',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='positions', to='trades.instrument'),
        ),
        migrations.AddIndex(
            model_name='position',
            index=models.Index(fields=['closed_at', 'id', 'currency', 'account', 'instrument', 'net_pnl'], name='positions_as_closed'),
        ),
        migrations.AddField(
            model_name='daytotal',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='day_totals', to='trades.account'),
        ),
        migrations.AddConstraint(
            model_name='daytotal',
            constraint=models.UniqueConstraint(fields=('account', 'currency', 'day'), name='day_totals_once_a_day'),
        ),
    ]
