"""Who did what: written with each deed that counts, and never changed."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Deed(models.TextChoices):
    LOGIN = "login", "Logged in"
    LOGIN_FAILED = "login_failed", "Failed to log in"
    WRONG_CODE = "wrong_code", "Gave a wrong code"
    RECOVERY = "recovery", "Used a recovery code"
    LOCKED = "locked", "Was locked out"
    LOGOUT = "logout", "Logged out"
    UNLOCK = "unlock", "Unlocked"
    EXPORT = "export", "Took out"
    RETRY = "retry", "Retried"
    ROLLBACK = "rollback", "Rolled back"
    CLEAR = "clear", "Cleared"
    DELETE = "delete", "Deleted"
    START = "start", "Started"
    CANCEL = "cancel", "Cancelled"
    PAUSE = "pause", "Paused"
    RESUME = "resume", "Resumed"
    ADD = "add", "Added"
    CHANGE = "change", "Changed"


class Way(models.TextChoices):
    PAGE = "page", "Page"
    ADMIN = "admin", "Admin"
    API = "api", "API"
    COMMAND = "command", "Command"
    WORKER = "worker", "Worker"


class AuditEntry(models.Model):
    """One deed. Names are kept beside what they name, which may be gone some day."""

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    username = models.CharField(
        "who", max_length=150, help_text="Of a command, the user of the system"
    )
    way = models.CharField(max_length=10, choices=Way)
    token = models.CharField(max_length=25, blank=True, help_text="How it begins")
    address = models.GenericIPAddressField("from", null=True)
    deed = models.CharField(max_length=20, choices=Deed)
    kind = models.CharField(max_length=100, blank=True, help_text="Of what it was done to")
    subject_id = models.CharField("number", max_length=50, blank=True)
    subject = models.CharField("what", max_length=200, blank=True)
    count = models.BigIntegerField("how many", null=True)
    words = models.CharField("more", max_length=500, blank=True)

    class Meta:
        db_table = "audit_entries"
        default_permissions = ["view"]
        ordering = ["-at", "-pk"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        who = self.username or ("A worker" if self.way == Way.WORKER else "Somebody")
        return f"{who} {self.get_deed_display().lower()} {self.subject}".strip()
