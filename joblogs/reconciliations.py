"""Checks of all kept data against itself: how far one is, and what it has found."""

from django.db import models
from django.utils import timezone

MOST_KEPT = 200  # findings in words; the others are counted


class Reconciliation(models.Model):
    """One check. `place` is where it goes on: the number of the check, and what that step wants.

    Who has looked at a step moves `steps` on by a conditional update, so of two who look at the
    same one, one counts.
    """

    started_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    steps = models.PositiveBigIntegerField(default=0)
    place = models.JSONField(default=list)
    differences = models.PositiveBigIntegerField(default=0)
    findings = models.JSONField(default=list, help_text="The first of them, in words.")

    class Meta:
        db_table = "reconciliations"
        default_permissions = ()
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.differences} differences"
