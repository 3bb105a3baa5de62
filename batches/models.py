"""Batches of staged trades, what became of each, and the templates they are staged from."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from batches.batchkeys import BatchKey  # noqa: F401
from batches.querysets import BatchQuerySet
from batches.states import FINAL, RETRYABLE, Status, TradeStatus
from trades.models import Account, ExactDecimalField, Instrument, Trade
from web.durations import duration_in_words
from web.jsontext import JSONTextField

FIRST, LAST, USUAL = 1, 10, 5  # priorities
PRIORITY = [MinValueValidator(FIRST), MaxValueValidator(LAST)]
MOST_PARALLEL = 32


class BatchTemplate(models.Model):
    """How the lines of a CSV file, or JSON objects, become the trades of a batch."""

    name = models.CharField(max_length=200, unique=True)
    executor = models.CharField(max_length=50, default="journal")
    executor_settings = models.JSONField("settings", default=dict, blank=True)
    priority = models.PositiveSmallIntegerField(default=USUAL, validators=PRIORITY)
    parallel = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_PARALLEL)]
    )
    columns = models.JSONField(
        default=dict, blank=True, help_text="By field of a batch trade: the column it is read from."
    )
    defaults = models.JSONField(
        default=dict, blank=True, help_text="By field of a batch trade: the value of empty cells."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    class Meta:
        db_table = "batch_templates"
        verbose_name = "batch template"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Batch(models.Model):
    """A set of staged trades that are executed together. Known outside by its batch_uid.

    Its counters change in the transactions that change its trades, so that they are always true.
    A batch that was started and waits for a worker is still `pending`, with `queued_at`.
    """

    batch_uid = models.UUIDField("batch ID", unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    executor = models.CharField(max_length=50, help_text="The name of what executes its trades.")
    executor_settings = models.JSONField("settings", default=dict)
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.PENDING)
    priority = models.PositiveSmallIntegerField(
        default=USUAL, validators=PRIORITY, help_text="1 comes first, 10 last."
    )
    parallel = models.PositiveSmallIntegerField(
        default=1, help_text="How many of its trades are executed at the same time."
    )
    total_trades = models.PositiveIntegerField("trades", default=0)
    executed_trades = models.PositiveIntegerField("executed", default=0)
    failed_trades = models.PositiveIntegerField("failed", default=0)
    cancelled_trades = models.PositiveIntegerField("cancelled", default=0)
    error_summary = models.TextField("summary", blank=True)
    read_as = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="How its lines were read: columns, defaults, zone, decimal sign, order of dates.",
    )
    owner = models.CharField(max_length=64, blank=True, help_text="The process that works on it.")
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(
        default=0, help_text="How often it was claimed without a trade being processed since."
    )
    cancel_requested = models.BooleanField(default=False)
    rounds = models.PositiveIntegerField(default=0, help_text="How often it was started.")
    template = models.ForeignKey(
        BatchTemplate, models.SET_NULL, null=True, blank=True, related_name="batches"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField("created", default=timezone.now)
    queued_at = models.DateTimeField(
        null=True, help_text="When a user started it; empty: it is only staged."
    )
    started_at = models.DateTimeField("started", null=True)
    completed_at = models.DateTimeField("completed", null=True)
    updated_at = models.DateTimeField("changed", default=timezone.now)
    archived_at = models.DateTimeField("archived", null=True)
    undo_requested = models.BooleanField(default=False)
    undone_at = models.DateTimeField("rolled back", null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = BatchQuerySet.as_manager()

    class Meta:
        db_table = "batches"
        verbose_name = "batch"
        verbose_name_plural = "batches"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="batches_newest"),
            models.Index(fields=["status", "-created_at"], name="batches_by_status"),
            models.Index(fields=["-total_trades", "-id"], name="batches_by_size"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(priority__range=(FIRST, LAST)), name="batches_priority_1_to_10"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total_trades__gte=models.F("executed_trades")
                    + models.F("failed_trades")
                    + models.F("cancelled_trades")
                ),
                name="batches_counters_fit",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[Status.PENDING, Status.RUNNING])
                | models.Q(
                    total_trades=models.F("executed_trades")
                    + models.F("failed_trades")
                    + models.F("cancelled_trades")
                ),
                name="batches_final_means_all_processed",
            ),
        ]
        permissions = [
            ("start_batch", "Can start a batch and change its priority"),
            ("cancel_batch", "Can cancel a batch"),
            ("retry_batch", "Can retry a batch"),
            ("archive_batch", "Can archive a batch"),
            ("undo_batch", "Can roll back the trades of a batch"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("batch", args=[self.pk])

    @property
    def processed_trades(self) -> int:
        return self.executed_trades + self.failed_trades + self.cancelled_trades

    @property
    def trades_in_words(self) -> str:
        return f"{self.total_trades:,} trade{'' if self.total_trades == 1 else 's'}"

    @property
    def pending_trades(self) -> int:
        """Those that wait, and those that are being executed."""
        return self.total_trades - self.processed_trades

    @property
    def progress_percentage(self) -> int:
        """Whole per cent; 100 exactly when it is final."""
        if self.is_completed:
            return 100
        return min(99, self.processed_trades * 100 // max(1, self.total_trades))

    @property
    def is_completed(self) -> bool:
        return self.status in FINAL

    @property
    def is_active(self) -> bool:
        return self.status == Status.RUNNING or self.waits_for_worker

    @property
    def waits_for_worker(self) -> bool:
        return self.status == Status.PENDING and self.queued_at is not None

    @property
    def can_be_started(self) -> bool:
        return self.status == Status.PENDING and self.queued_at is None

    @property
    def can_be_cancelled(self) -> bool:
        return not self.is_completed and not self.cancel_requested

    @property
    def can_be_retried(self) -> bool:
        return self.status in RETRYABLE and not self.undo_requested and self.archived_at is None

    @property
    def is_being_undone(self) -> bool:
        return self.undo_requested and self.undone_at is None

    @property
    def can_be_deleted(self) -> bool:
        """Only staged, or at its end; its trades stay."""
        return (self.is_completed or self.can_be_started) and not self.is_being_undone

    @property
    def duration_in_words(self) -> str | None:
        if self.started_at is None or self.completed_at is None:
            return None
        return duration_in_words(round((self.completed_at - self.started_at).total_seconds() * 1e3))


class BatchTrade(models.Model):
    """One line of a batch: an instruction, which becomes a trade when it is executed.

    Every line becomes one, a bad one as `failed` with its reason. What could not be read of it is
    empty, and `raw` has it as it was given.
    """

    batch = models.ForeignKey(Batch, models.CASCADE, db_index=False, related_name="batch_trades")
    sequence = models.PositiveIntegerField(help_text="Its place in the batch, from 1.")
    row_number = models.PositiveIntegerField(
        "line", null=True, help_text="Physical line of the CSV file."
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    side = models.CharField(max_length=12, choices=Trade.Side.choices, blank=True)
    quantity = ExactDecimalField(null=True)
    price = ExactDecimalField(null=True)
    commission = ExactDecimalField(default=0, help_text="A cost is positive, a rebate negative.")
    executed_at = models.DateTimeField(
        null=True, help_text="The moment to book it at. Empty: when it is executed."
    )
    order_id = models.CharField("order", max_length=200, blank=True)
    trade_name = models.CharField("name", max_length=200, blank=True)
    notes = models.TextField(blank=True)
    raw = JSONTextField(default=dict, help_text="By column or key: the line exactly as given.")
    status = models.CharField(
        max_length=9, choices=TradeStatus.choices, default=TradeStatus.PENDING
    )
    attempts = models.PositiveIntegerField(default=0, help_text="How often it was handed over.")
    error_message = models.TextField("message", blank=True)
    errors = JSONTextField(
        default=list, help_text="What is wrong with the line: field, code, error."
    )
    filled_quantity = ExactDecimalField("filled", null=True)
    finished_at = models.DateTimeField("finished", null=True)
    trade = models.OneToOneField(
        Trade,
        models.SET_NULL,
        null=True,
        db_constraint=False,
        related_name="batch_trade",
        help_text="The trade that it became.",
    )

    class Meta:
        db_table = "batch_trades"
        verbose_name = "batch trade"
        ordering = ["batch", "sequence", "id"]
        indexes = [
            models.Index(fields=["batch", "status", "sequence"], name="batch_trades_by_status")
        ]
        constraints = [
            models.UniqueConstraint(fields=["batch", "sequence"], name="batch_trades_in_sequence")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.sequence}"
