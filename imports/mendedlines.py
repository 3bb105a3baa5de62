"""Which lines of its import a retry brings, where these are not its own lines once more."""

from django.db import models


class MendedLine(models.Model):
    """A line of a retry's file, and the line of the retried import that it brings.

    One with a `refusal` is not taken in: that line was mended before, as the row log `known_row`.
    """

    import_log = models.ForeignKey(
        "imports.ImportExecutionLog", models.CASCADE, related_name="mended_lines"
    )
    row_number = models.PositiveBigIntegerField(help_text="Physical line of the retry's file.")
    line = models.PositiveBigIntegerField(help_text="Line of the import that is retried.")
    refusal = models.TextField(blank=True, default="", help_text="Why it is not taken in.")
    known_row = models.PositiveBigIntegerField(null=True, help_text="A row log; it may be gone.")

    class Meta:
        db_table = "mended_lines"
        default_permissions = ()  # nobody looks at them
        indexes = [models.Index(fields=["import_log", "line"], name="mended_lines_by_line")]
        constraints = [
            models.UniqueConstraint(fields=["import_log", "row_number"], name="mended_lines_by_row")
        ]

    def __str__(self) -> str:
        return f"line {self.line}"
