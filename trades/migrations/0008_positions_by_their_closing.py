"""What was closed on some days is found without looking at all positions."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades', '0007_marks_know_their_import'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='position',
            index=models.Index(fields=['closed_at', 'id'], name='positions_last_closed'),
        ),
    ]
