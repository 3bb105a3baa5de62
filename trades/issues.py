"""What does not fit together in the fills of a position, and what a user says to it."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from web.jsontext import JSONTextField

MOST_NAMED = 20


@dataclass(frozen=True)
class IssueKind:
    """One kind of issue. A notice may well be meant so; an error says that fills are missing."""

    title: str
    sentence: str
    is_error: bool = True


KINDS: dict[str, IssueKind] = {
    "broker_position": IssueKind(
        "Broker differs",
        "After its first fill, the broker states another position than the fills add up to: "
        "something was held before that is not in the log.",
    ),
    "gap": IssueKind(
        "Gap",
        "From one fill to the next, the position that the broker states changes by something else "
        "than the fill: fills between them are missing, or one is too many.",
    ),
    "sell_without_long": IssueKind(
        "Sell without long",
        "It is told as a sale of what was held, but nothing, or less, was: the purchase is "
        "missing.",
    ),
    "cover_without_short": IssueKind(
        "Cover without short",
        "It is told as the cover of a short, but nothing, or less, was sold short: the sale is "
        "missing.",
    ),
    "not_flat_at_session_end": IssueKind(
        "Not flat at the end",
        "The position was still open when the session ended (17:00 in New York).",
        is_error=False,
    ),
}
ERRORS = [name for name, kind in KINDS.items() if kind.is_error]


class IssueQuerySet(models.QuerySet["IntegrityIssue"]):
    def standing(self) -> "IssueQuerySet":
        """What there is to see: neither dismissed nor resolved, nor of a session that still goes
        on."""
        now = timezone.now()
        return self.filter(dismissed_at=None, resolved_at=None, shows_from__lte=now)

    def errors(self) -> "IssueQuerySet":
        return self.filter(kind__in=ERRORS)

    def dismiss(self, user: AbstractBaseUser | None, reason: str = "") -> int:
        """A user has looked at them and wants them out of sight; how many were not yet."""
        now = timezone.now()
        return self.filter(dismissed_at=None).change(
            f"dismissed: {reason}", dismissed_at=now, dismissed_by=user, dismissal_reason=reason
        )

    def restore(self) -> int:
        """Take a dismissal back; of how many."""
        back = {"dismissed_at": None, "dismissed_by": None, "dismissal_reason": ""}
        return self.exclude(dismissed_at=None).change("dismissal taken back", **back)

    def change(self, words: str, **values: object) -> int:
        """Audited with the numbers of the first ones; how many there were."""
        with transaction.atomic():
            numbers = map(str, self.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])
            subject = f"integrity issues {', '.join(numbers)}"
            count = self.update(**values)
            if count:
                write_down(Deed.CHANGE, subject, count=count, words=words)
        return count


class IntegrityIssue(models.Model):
    """Something that does not fit together, with the fills that cause it.

    It is known again by its kind and the identity of its fill, so a dismissal survives a rollback
    and the import again.
    """

    kind = models.CharField(
        max_length=30, choices=[(name, kind.title) for name, kind in KINDS.items()]
    )
    account = models.ForeignKey("trades.Account", models.CASCADE, related_name="issues")
    instrument = models.ForeignKey("trades.Instrument", models.CASCADE, related_name="issues")
    position = models.ForeignKey(
        "trades.Position", models.SET_NULL, null=True, related_name="issues"
    )
    trade = models.ForeignKey(
        "trades.Trade",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The fill at which it shows.",
    )
    previous_trade = models.ForeignKey(
        "trades.Trade",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Of a gap: the fill before it.",
    )
    key = models.CharField(max_length=250, help_text="The identity of its fill.")
    message = models.TextField()
    detail = JSONTextField(default=dict, help_text="The numbers of the message.")
    occurred_at = models.DateTimeField("at", help_text="When the fill was executed.")
    shows_from = models.DateTimeField(help_text="Earlier it may still come right.")
    dismissed_at = models.DateTimeField("dismissed", null=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    dismissal_reason = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(
        null=True, help_text="Gone; kept because of its dismissal, should it come back."
    )

    objects = IssueQuerySet.as_manager()

    class Meta:
        db_table = "integrity_issues"
        verbose_name = "integrity issue"
        ordering = ["-occurred_at", "-id"]
        indexes = [models.Index(fields=["occurred_at", "id"], name="integrity_issues_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(dismissed_at__isnull=False),
                name="integrity_issues_resolved_ones_go",
            )
        ]
        permissions = [("dismiss_issue", "Can dismiss an integrity issue")]

    def __str__(self) -> str:
        return self.message

    @property
    def trade_ids(self) -> list[int]:
        """The fills that cause it, in their order."""
        return [pk for pk in (self.previous_trade_id, self.trade_id) if pk]
