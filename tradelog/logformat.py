"""How a line of the log looks: as text or as JSON, with its request or job, and without secrets."""

import json
import logging
from datetime import UTC, datetime

from joblogs.masking import mask
from web.marks import JOB, REQUEST


def request_of(record: logging.LogRecord) -> str:
    """Django logs what came of a request when that is over, and gives it along."""
    return REQUEST.get() or getattr(getattr(record, "request", None), "id", "")


def moment(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


class TextFormatter(logging.Formatter):
    """2026-01-05T14:30:00.000000Z WARNING imports.claims [job 7] …"""

    def format(self, record: logging.LogRecord) -> str:
        told = {"request": request_of(record), "job": JOB.get()}
        marks = " ".join(f"{name} {value}" for name, value in told.items() if value)
        place = f"{record.name} [{marks}]" if marks else record.name
        return mask(f"{moment(record)} {record.levelname} {place} {super().format(record)}")


class JSONFormatter(logging.Formatter):
    """An object a line; `exception` has line breaks of its own."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
            "request": request_of(record),
            "job": JOB.get(),
        }
        if record.exc_info:
            told["exception"] = mask(self.formatException(record.exc_info))
        return json.dumps({name: value for name, value in told.items() if value})
