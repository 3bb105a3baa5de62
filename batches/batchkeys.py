"""The same batch sent twice is one: what a client's Idempotency-Key stood for."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from imports.uploadkeys import KEPT, LONGEST_KEY, KeyReused


class BatchKey(models.Model):
    """A key that a user gave to a new batch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=LONGEST_KEY)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of all that was sent.")
    batch = models.ForeignKey("batches.Batch", models.CASCADE, related_name="keys")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "batch_keys"
        default_permissions = ()  # nobody looks at them
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="batch_keys_one_each")]

    def __str__(self) -> str:
        return self.key


def batch_of(key: str, user: AbstractBaseUser, fingerprint: str) -> models.Model | None:
    """The batch that the key stands for already, if any. Raises KeyReused for another request."""
    BatchKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    known = BatchKey.objects.filter(user=user, key=key).select_related("batch").first()
    if known and known.fingerprint != fingerprint:
        raise KeyReused
    return known and known.batch


def save_once(
    staged: object, key: str, user: AbstractBaseUser, fingerprint: str
) -> tuple[models.Model, bool]:
    """Save staged lines as a batch, unless the key stands for one already; that one then.

    Also whether it is new. Of two requests at once the second waits for the first: for its key on
    PostgreSQL, for the whole database on SQLite. Raises KeyReused.
    """
    with transaction.atomic():
        batch = staged.save()
        mine, is_new = BatchKey.objects.get_or_create(
            user=user, key=key, defaults={"fingerprint": fingerprint, "batch": batch}
        )
        if not is_new:
            transaction.set_rollback(True)
    if mine.fingerprint != fingerprint:
        raise KeyReused
    return (batch, True) if is_new else (mine.batch, False)
