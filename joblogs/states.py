"""The states of job logs and of notices, and the legal moves between them, as data."""

from django.db import models


class Status(models.TextChoices):
    NEW = "new", "New"
    PROCESSING = "processing", "Processing"
    SUCCESS = "success", "Success"
    ERROR = "error", "Error"


class Trigger(models.TextChoices):
    """What asked for the job."""

    SCHEDULE = "schedule", "Schedule"
    MANUAL = "manual", "Manual"
    API = "api", "API"
    COMMAND = "command", "Command"


class Level(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


ACTIVE = frozenset({Status.NEW, Status.PROCESSING})

MOVES: dict[tuple[Status, Status], str] = {
    (Status.NEW, Status.PROCESSING): "A process has taken it up.",
    (Status.PROCESSING, Status.SUCCESS): "Its work came to its end.",
    (Status.PROCESSING, Status.ERROR): "Its work broke off, or gave no sign of life for too long.",
}


# --- Notices


class Delivery(models.TextChoices):
    """What became of a notice on its way to mail or chat."""

    KEPT = "kept", "Kept here only"
    WAITING = "waiting", "Waits to be sent"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"
    UNKNOWN = "unknown", "Unknown whether sent"


DELIVERIES: dict[tuple[Delivery, Delivery], str] = {
    (Delivery.WAITING, Delivery.SENDING): "A process has claimed it.",
    (Delivery.WAITING, Delivery.KEPT): "The settings name no receiver any more.",
    (Delivery.SENDING, Delivery.SENT): "Every receiver has taken it.",
    (Delivery.SENDING, Delivery.WAITING): "A receiver has refused it; it is tried again later.",
    (Delivery.SENDING, Delivery.FAILED): "A receiver has refused it too often.",
    (Delivery.SENDING, Delivery.UNKNOWN): "Nobody can tell; once more might be twice.",
}
