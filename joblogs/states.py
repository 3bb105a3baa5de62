"""The states of job logs and the legal moves between them, as data."""

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
