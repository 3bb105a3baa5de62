"""What is open, and what has a tag, is found without looking at all positions."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0005_mark_existing_trades'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='position',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['opened_at', 'id'], name='positions_open'),
        ),
        migrations.AddIndex(
            model_name='position',
            index=models.Index(condition=models.Q(('tags', []), _negated=True), fields=['opened_at', 'id'], name='positions_tagged'),
        ),
    ]
