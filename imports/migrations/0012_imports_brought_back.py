import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0011_rows_deleted_and_failures_known")]

    operations = [
        migrations.AddField(
            model_name="importexecutionlog",
            name="restored_by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="restored",
                to="imports.importexecutionlog",
            ),
        ),
    ]
