"""The same upload sent twice makes one import: what a client's Idempotency-Key stood for."""

from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

KEPT = timedelta(hours=24)
LONGEST_KEY = 200


class KeyReused(Exception):
    """The key stands for another upload already."""


class UploadKey(models.Model):
    """A key that a user gave to an upload, and the import which that made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=LONGEST_KEY)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of all that was sent.")
    import_log = models.ForeignKey(
        "imports.ImportExecutionLog", models.CASCADE, related_name="upload_keys"
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "upload_keys"
        default_permissions = ()  # nobody looks at them
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="upload_keys_one_each")]

    def __str__(self) -> str:
        return self.key


def save_once(log: models.Model, key: str, user: AbstractBaseUser) -> tuple[models.Model, bool]:
    """Save a new import, unless the key stands for the same upload already; that one's import then.

    Also whether it is new. Of two requests at once the second waits for the first: for its key on
    PostgreSQL, for the whole database on SQLite. Raises KeyReused.
    """
    fingerprint = fingerprint_of(log)
    UploadKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    with transaction.atomic():
        log.save()
        mine, is_new = UploadKey.objects.get_or_create(
            user=user, key=key, defaults={"fingerprint": fingerprint, "import_log": log}
        )
        if not is_new:
            transaction.set_rollback(True)
    if mine.fingerprint != fingerprint:
        raise KeyReused
    return (log, True) if is_new else (mine.import_log, False)


def fingerprint_of(log: models.Model) -> str:
    sent = (log.file_hash, log.file_name, log.default_account, log.timezone, log.format)
    return sha256("\0".join(sent).encode()).hexdigest()
