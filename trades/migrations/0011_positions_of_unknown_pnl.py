"""What is of unknown P&L is found without looking at all positions."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0010_day_totals'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='position',
            index=models.Index(condition=models.Q(('gross_pnl', None)), fields=['opened_at', 'id'], name='positions_of_unknown_pnl'),
        ),
    ]
