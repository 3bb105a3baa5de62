"""Imports, what became of each of their lines, and the ledger of every execution taken in."""

import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from imports.mendedlines import MendedLine  # noqa: F401
from imports.querysets import ImportQuerySet
from imports.states import (
    ACTIVE,
    CANCELLABLE,
    RETRYABLE,
    REVERSIBLE,
    Category,
    RowStatus,
    StateConflict,
    Status,
)
from imports.uploadkeys import UploadKey  # noqa: F401
from joblogs.owners import is_over
from trades.models import Account, Instrument, Trade
from web.durations import duration_in_words
from web.jsontext import JSONTextField

USER = settings.AUTH_USER_MODEL
SOON = timedelta(minutes=1)  # by then a worker, or the command that queued it, should have it


class ImportExecutionLog(models.Model):
    """One reading of one file. Known outside by its import_batch_id."""

    class Type(models.TextChoices):
        CSV = "csv", "CSV file"
        BACKUP = "backup", "Backup"
        DATE_RANGE = "date_range", "Date range"
        SAMPLE_DATA = "sample_data", "Sample data"

    import_batch_id = models.UUIDField("batch ID", unique=True, default=uuid.uuid4, editable=False)
    import_type = models.CharField("type", max_length=12, choices=Type.choices, default=Type.CSV)
    file_name = models.CharField("file", max_length=255)
    file_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the bytes.")
    file_size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    line_count = models.PositiveBigIntegerField(
        null=True, help_text="Physical lines of the file; unknown until it is opened."
    )
    default_account = models.CharField(
        max_length=100, blank=True, help_text="Account of the lines that name none."
    )
    timezone = models.CharField(
        max_length=64, blank=True, help_text="Zone of its times. Empty: the account's, else ours."
    )
    format = models.CharField(max_length=50, blank=True)
    dialect = models.JSONField(
        default=dict, help_text="How the file is read, decided once for the whole file."
    )
    header = JSONTextField(default=list, help_text="The column names as read.")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    total_rows = models.PositiveBigIntegerField("total", default=0)
    success_rows = models.PositiveBigIntegerField("success", default=0)
    failed_rows = models.PositiveBigIntegerField("failed", default=0)
    skipped_rows = models.PositiveBigIntegerField("skipped", default=0)
    trades_created = models.PositiveBigIntegerField(default=0)
    positions_changed = models.PositiveBigIntegerField(null=True, help_text="Empty: not computed.")
    affected_accounts = JSONTextField("accounts", default=list)
    error_summary = models.TextField("summary", blank=True)
    cursor = models.PositiveBigIntegerField(default=0, help_text="Rows done; a run goes on here.")
    owner = models.CharField(max_length=64, blank=True, help_text="The process that works on it.")
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    days = models.JSONField(default=list, help_text="Of a date range, as imports/days.py reads it.")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retries")
    mends_line = models.PositiveBigIntegerField(
        null=True, help_text="The one line of the retried import that this one brings corrected."
    )
    # The import of a backup that has brought it back; that may be gone, numbers are never reused.
    restored_by = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, db_constraint=False, related_name="restored"
    )
    created_by = models.ForeignKey(USER, models.SET_NULL, null=True, related_name="+")
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    processing_time_ms = models.PositiveBigIntegerField(null=True)
    rolled_back_at = models.DateTimeField(null=True)
    rows_deleted_at = models.DateTimeField(null=True, help_text="Since then it has no row logs.")
    failures_known_at = models.DateTimeField(null=True, help_text="Somebody has seen its end.")
    rolled_back_by = models.ForeignKey(USER, models.SET_NULL, null=True, related_name="+")

    objects = ImportQuerySet.as_manager()

    class Meta:
        db_table = "import_execution_logs"
        verbose_name = "import"
        ordering = ["-queued_at", "-id"]
        indexes = [
            models.Index(fields=["-queued_at", "-id"], name="imports_newest"),
            models.Index(fields=["status", "-queued_at"], name="imports_by_status"),
            models.Index(fields=["file_hash"], name="imports_by_content"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    total_rows=models.F("success_rows")
                    + models.F("failed_rows")
                    + models.F("skipped_rows")
                ),
                name="imports_every_line_is_counted",
            )
        ]
        permissions = [
            (f"{word.replace(' ', '_')}_import", f"Can {word} an import")
            for word in ("retry", "cancel", "roll back")
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("import-detail", args=[self.pk])

    @property
    def stored_path(self) -> Path:
        """Where the bytes lie; addressed by content, so never overwritten."""
        return settings.FILES_DIR / self.file_hash[:2] / self.file_hash

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_left_behind(self) -> bool:
        """Nobody works on it although somebody should; whoever claims it goes on at the cursor."""
        free = not self.owner or is_over(self.lease_until)
        return free and self.status in CANCELLABLE

    @property
    def waits_long(self) -> bool:
        """A worker should have taken it by now, or its own has died."""
        old = self.queued_at < timezone.now() - SOON
        return self.is_left_behind and (old if self.status == Status.QUEUED else bool(self.owner))

    @property
    def changes_soon(self) -> bool:
        """Whether somebody works on it, or will at once."""
        return (self.is_active or self.status == Status.ROLLING_BACK) and not self.waits_long

    @property
    def can_be_cancelled(self) -> bool:
        return self.status in CANCELLABLE

    @property
    def can_be_retried(self) -> bool:
        """What did not take in every line, and what skipped lines whose trades are gone now."""
        whole = self.status == Status.SUCCESS and self.skipped_rows > 0
        again = self.status in RETRYABLE or (whole and self.misses_trades())
        return again and self.rows_deleted_at is None

    def misses_trades(self) -> bool:
        """Whether a line was skipped because of a trade that was rolled back or deleted since."""
        rows = self.row_logs.filter(status=RowStatus.SKIPPED, duplicate_of=None)
        return rows.exclude(error_category="").exists()  # that is a known import, of a backup

    @property
    def can_be_rolled_back(self) -> bool:
        """Success and partial always; a broken or stopped run if it had taken in anything.

        A rollback whose process died can be gone on with."""
        if self.status == Status.ROLLING_BACK:
            return not self.owner or is_over(self.lease_until)
        whole = self.status in (Status.SUCCESS, Status.PARTIAL)
        return whole or (self.status in REVERSIBLE and self.success_rows > 0)

    @property
    def duration_in_words(self) -> str | None:
        return duration_in_words(self.processing_time_ms)

    def require(self, allowed: bool, what: str) -> None:
        """Raise StateConflict unless `allowed`."""
        if not allowed:
            raise StateConflict(f"{self.file_name} is {self.get_status_display().lower()}; {what}.")


class ImportRowLog(models.Model):
    """What became of one physical line of a file."""

    import_log = models.ForeignKey(
        ImportExecutionLog,
        models.CASCADE,
        db_column="import_id",
        db_constraint=False,
        db_index=False,
        related_name="row_logs",
        verbose_name="import",
    )
    row_number = models.PositiveBigIntegerField("line", help_text="Physical line of the file.")
    status = models.CharField(max_length=7, choices=RowStatus.choices)
    error_category = models.CharField(
        "category", max_length=20, choices=Category.choices, blank=True, default="", db_default=""
    )
    error_message = models.TextField("message", blank=True, default="", db_default="")
    validation_errors = JSONTextField(default=list, db_default=[])
    raw_row_data = JSONTextField(default=list, help_text="The cells exactly as read.")
    duplicate_of = models.ForeignKey(
        Trade,
        models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="repeated_by",
    )

    class Meta:
        db_table = "import_execution_row_logs"
        verbose_name = "row log"
        ordering = ["import_log", "row_number", "id"]
        indexes = [
            models.Index(
                fields=["import_log", "status", "row_number"],
                condition=~models.Q(status="success"),
                name="row_logs_not_taken_in",
            ),
            models.Index(
                fields=["import_log", "error_category", "row_number"],
                condition=models.Q(status="failed"),
                name="row_logs_failed_by_category",
            ),
            models.Index(
                fields=["import_log"],
                condition=models.Q(status="skipped", duplicate_of__isnull=True),
                name="row_logs_that_miss_trades",
            ),
            models.Index(
                fields=["duplicate_of"],
                condition=models.Q(duplicate_of__isnull=False),
                name="row_logs_of_known_trades",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["import_log", "row_number"], name="row_logs_one_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"line {self.row_number}"


class ImportedExecution(models.Model):
    """The ledger: every execution identity ever taken in; the authority on what is known.

    The row of a trade that a user deletes stays here; a rollback removes those of its import."""

    account = models.ForeignKey(
        Account, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    execution_id = models.CharField(max_length=200)
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    trade = models.ForeignKey(
        Trade,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Points nowhere once a user has deleted the trade; numbers are never reused.",
    )
    csv_filename = models.CharField("file", max_length=255)
    import_timestamp = models.DateTimeField("taken in at", default=timezone.now, db_default=Now())
    import_log = models.ForeignKey(
        ImportExecutionLog,
        models.SET_NULL,
        null=True,
        db_column="import_id",
        db_constraint=False,
        db_index=False,
        related_name="ledger_rows",
        verbose_name="import",
    )

    class Meta:
        db_table = "imported_executions"
        verbose_name = "ledger row"
        ordering = ["-id"]
        indexes = [models.Index(fields=["import_log", "id"], name="ledger_of_an_import")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "execution_id"], name="ledger_each_execution_once"
            )
        ]

    def __str__(self) -> str:
        return self.execution_id
