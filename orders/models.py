"""The mirror of the desk's open orders: snapshots, and the orders of each.

Readers see the newest complete snapshot and no other. One that loads, or broke off, is seen by
nobody; one that was replaced stays a little while for those who are still reading it.
"""

from django.db import models
from django.urls import reverse
from django.utils import timezone

from joblogs.models import JobLog
from joblogs.owners import is_dead, is_over
from orders.states import MOVES, Status, Step
from trades.models import ExactDecimalField
from web.jsontext import JSONTextField

LONGEST_TEXT = 200  # characters


class SnapshotQuerySet(models.QuerySet["OpenOrderSnapshot"]):
    def move(self, old: Status, new: Status, **values: object) -> bool:
        """Move from one state to another; whether this caller was the one who did it."""
        if (old, new) not in MOVES:
            raise ValueError(f"{old} → {new} is no legal move")
        return self.filter(status=old).update(status=new, **values) == 1

    def current(self) -> "OpenOrderSnapshot | None":
        """What readers see: the newest complete one; None before the first."""
        return self.filter(status=Status.COMPLETE).order_by("-pk").first()

    def last_ended(self) -> "OpenOrderSnapshot | None":
        """The last sync that came to an end, however it ended."""
        return self.exclude(status=Status.LOADING).order_by("-pk").first()

    def loading(self) -> "OpenOrderSnapshot | None":
        return self.filter(status=Status.LOADING).first()


class OpenOrderSnapshot(models.Model):
    """One sync with the desk's order system."""

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.LOADING)
    step = models.CharField(
        max_length=8, choices=Step.choices, default=Step.TIDY, help_text="What it did last."
    )
    source = models.CharField(max_length=200, blank=True, help_text="Where the orders come from.")
    started_at = models.DateTimeField("started", default=timezone.now)
    taken_at = models.DateTimeField("as of", null=True, help_text="When the source was asked.")
    finished_at = models.DateTimeField("finished", null=True)
    replaced_at = models.DateTimeField("replaced", null=True)
    total_orders = models.PositiveIntegerField("orders", default=0)
    new_orders = models.PositiveIntegerField("new", default=0)
    changed_orders = models.PositiveIntegerField("changed", default=0)
    gone_orders = models.PositiveIntegerField("gone", default=0)
    bad_values = models.PositiveIntegerField(
        default=0, help_text="Values that could not be converted; they are empty here."
    )
    error = models.TextField(blank=True)
    owner = models.CharField(max_length=64, blank=True, help_text="The process that loads it.")
    lease_until = models.DateTimeField(null=True)
    job_log = models.ForeignKey(JobLog, models.SET_NULL, null=True, related_name="+")

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        db_table = "open_order_snapshots"
        verbose_name = "snapshot of open orders"
        verbose_name_plural = "snapshots of open orders"
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "-id"], name="snapshots_by_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status=Status.LOADING),
                name="snapshots_one_loads_at_a_time",
            )
        ]
        permissions = [("sync_open_orders", "Can sync the open orders")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.get_status_display().lower()}"

    @property
    def is_abandoned(self) -> bool:
        """Whether it loads no more: its process is gone, or has been silent for too long."""
        return self.status == Status.LOADING and (is_over(self.lease_until) or is_dead(self.owner))


class OpenOrder(models.Model):
    """A working order as the desk's order system shows it. What is empty there is empty here."""

    snapshot = models.ForeignKey(
        OpenOrderSnapshot, models.CASCADE, db_index=False, related_name="orders"
    )
    number = models.PositiveIntegerField(help_text="Its row in the source, from 1.")
    key = models.CharField(max_length=32, help_text="The same order has the same in any snapshot.")
    content = models.CharField(max_length=32, help_text="Another if anything in it has changed.")
    order_id = models.CharField("order", max_length=LONGEST_TEXT, blank=True)
    account = models.CharField(max_length=LONGEST_TEXT, blank=True)
    instrument = models.CharField(max_length=LONGEST_TEXT, blank=True)
    side = models.CharField(max_length=LONGEST_TEXT, blank=True)
    type = models.CharField(max_length=LONGEST_TEXT, blank=True)
    time_in_force = models.CharField(max_length=LONGEST_TEXT, blank=True)
    quantity = ExactDecimalField(null=True)
    filled = ExactDecimalField(null=True)
    remaining = ExactDecimalField(null=True)
    limit_price = ExactDecimalField("limit", null=True)
    stop_price = ExactDecimalField("stop", null=True)
    state = models.CharField(max_length=LONGEST_TEXT, blank=True)
    submitted_at = models.DateTimeField("submitted", null=True)
    updated_at = models.DateTimeField("updated", null=True)
    problems = JSONTextField(
        default=list, help_text="Values that could not be converted: field, column, value, error."
    )

    class Meta:
        db_table = "open_orders"
        verbose_name = "open order"
        ordering = ["snapshot", "number", "id"]
        indexes = [models.Index(fields=["snapshot", "key"], name="open_orders_by_key")]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "number"], name="open_orders_one_per_row")
        ]

    def __str__(self) -> str:
        return self.order_id or f"row {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("open-order", args=[self.key])
