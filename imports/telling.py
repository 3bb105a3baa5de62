"""Notices of imports that ended badly in the background. Who imports by a command sees it there."""

from datetime import timedelta

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from imports.models import ImportExecutionLog
from imports.states import Status
from imports.summary import outcome
from joblogs.models import JobLog, Notice
from joblogs.notices import tell
from joblogs.states import Level

LEVELS = {Status.FAILED: Level.ERROR, Status.PARTIAL: Level.WARNING}
LOOKED_BACK = timedelta(days=2)  # for ends that nobody came to tell of


def tell_of_end(import_id: int) -> bool:
    """Tell of an import that failed, in whole or in part, unless that was told."""
    log = ImportExecutionLog.objects.filter(pk=import_id, status__in=LEVELS).first()
    if log is None:
        return False
    told = tell(
        key_of(log.pk),
        f"Import {log.get_status_display().lower()}: {log.file_name}",
        outcome(log),
        LEVELS[Status(log.status)],
        log.get_absolute_url(),
    )
    return told is not None


def key_of(import_id: int) -> str:
    """An import ends once."""
    return f"import:{import_id}"


def tell_of_the_untold(job: str) -> int:
    """Tell of those whose process died between their end and the notice of it; how many."""
    key = Concat(Value(key_of("")), Cast(OuterRef("pk"), CharField()))
    untold = ImportExecutionLog.objects.filter(
        Exists(JobLog.objects.filter(job=job, subject_id=OuterRef("pk"))),
        ~Exists(Notice.objects.filter(key=key)),
        status__in=LEVELS,
        queued_at__gte=timezone.now() - LOOKED_BACK,
    )
    return sum(tell_of_end(pk) for pk in untold.values_list("pk", flat=True))
