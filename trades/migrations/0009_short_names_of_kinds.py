"""Names of kinds that fit on one line beside the rest of an issue."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0008_positions_by_their_closing'),
    ]

    operations = [
        migrations.AlterField(
            model_name='integrityissue',
            name='kind',
            field=models.CharField(choices=[('broker_position', 'Broker differs'), ('gap', 'Gap'), ('sell_without_long', 'Sell without long'), ('cover_without_short', 'Cover without short'), ('not_flat_at_session_end', 'Not flat at the end')], max_length=30),
        ),
    ]
