"""Job logs, each one run of one background job, the lines that they wrote, and notices."""

from datetime import timedelta
from itertools import count

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, models, transaction
from django.urls import reverse
from django.utils import timezone

from joblogs.reconciliations import Reconciliation  # noqa: F401
from joblogs.states import ACTIVE, DELIVERIES, MOVES, Delivery, Level, Status, Trigger
from web.durations import duration_in_words

LONGEST_MESSAGE = 5_000  # characters
# Each job once, by as many looks into the index as there are jobs: a DISTINCT would read it all.
EACH_JOB = """
    WITH RECURSIVE each (job) AS (
        SELECT MIN(job) FROM job_logs
        UNION ALL
        SELECT (SELECT MIN(job) FROM job_logs WHERE job > each.job) FROM each
        WHERE each.job IS NOT NULL
    )
    SELECT job FROM each WHERE job IS NOT NULL
"""


class JobLogQuerySet(models.QuerySet["JobLog"]):
    def move(self, old: Status, new: Status, **values: object) -> bool:
        """Move from one state to another; whether this caller was the one who did it."""
        if (old, new) not in MOVES:
            raise ValueError(f"{old} → {new} is no legal move")
        return self.filter(status=old).update(status=new, **values) == 1

    def start(
        self,
        job: str,
        *,
        trigger: Trigger,
        subject_id: int | None = None,
        asked_by: AbstractBaseUser | None = None,
    ) -> "JobLog":
        """A new log, named for this second; the second of that second has _1, then _2, and so on.

        Of processes that want one name at once each gets one of its own.
        """
        now = timezone.now()
        second = now.replace(microsecond=0)
        stamp = f"{timezone.localtime(now):%Y%m%d%H%M%S}"
        rest = {"job": job, "trigger": trigger, "subject_id": subject_id, "created_at": now}
        rest["asked_by"] = asked_by
        these = self.filter(created_at__gte=second, created_at__lt=second + timedelta(seconds=1))
        for number in count(these.count()):
            name = f"{stamp}_{number}" if number else stamp
            log, is_new = self.get_or_create(name=name, defaults=rest)
            if is_new:
                return log

    def each_job(self) -> list[str]:
        """The names of the jobs that have run, in their order."""
        with connection.cursor() as cursor:
            cursor.execute(EACH_JOB)
            return [job for (job,) in cursor.fetchall()]


class JobLog(models.Model):
    """One run of one background job."""

    name = models.CharField(max_length=24, unique=True)
    job = models.CharField(max_length=50, help_text="What ran.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NEW)
    trigger = models.CharField(max_length=8, choices=Trigger.choices)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    subject_id = models.BigIntegerField(null=True, help_text="What it is about; which import, say.")
    created_at = models.DateTimeField("created", default=timezone.now)
    started_at = models.DateTimeField("started", null=True)
    finished_at = models.DateTimeField("finished", null=True)
    owner = models.CharField(max_length=64, blank=True, help_text="The process that runs it.")
    heartbeat_at = models.DateTimeField("last sign of life", null=True)
    result = models.JSONField(default=dict, help_text="Counters.")
    error = models.TextField(blank=True)
    task_id = models.CharField(max_length=64, blank=True, help_text="Its task in the queue.")
    rung_at = models.DateTimeField(null=True, help_text="When the queue was last told of it.")

    objects = JobLogQuerySet.as_manager()

    class Meta:
        db_table = "job_logs"
        verbose_name = "job log"
        ordering = ["-created_at", "-id"]
        permissions = [
            ("run_job", "Can run recurring jobs now"),
            ("pause_job", "Can pause and resume recurring jobs"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="job_logs_newest"),
            models.Index(fields=["status", "-created_at"], name="job_logs_by_status"),
            models.Index(fields=["job", "-created_at"], name="job_logs_by_job"),
            models.Index(
                fields=["subject_id", "-id"],
                condition=models.Q(subject_id__isnull=False),
                name="job_logs_by_subject",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("job-log", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end, or until now; None before it has started."""
        return (self.finished_at or timezone.now()) - self.started_at if self.started_at else None

    @property
    def duration_ms(self) -> int | None:
        return None if self.duration is None else round(self.duration.total_seconds() * 1000)

    @property
    def duration_in_words(self) -> str | None:
        return duration_in_words(self.duration_ms)

    @property
    def result_in_words(self) -> str:
        """The counters: taken in 412, known 3."""
        return ", ".join(f"{name} {value}" for name, value in self.counters)

    @property
    def counters(self) -> list[tuple[str, object]]:
        """The result by names in plain words; a large number has its commas."""
        return [
            (name.replace("_", " "), f"{value:,}" if type(value) is int else value)
            for name, value in self.result.items()
        ]


class JobLogDetail(models.Model):
    """A line that a job wrote."""

    job_log = models.ForeignKey(
        JobLog, models.CASCADE, db_index=False, related_name="details", verbose_name="job log"
    )
    message = models.TextField()
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    created_at = models.DateTimeField("time", default=timezone.now)

    class Meta:
        db_table = "job_log_details"
        verbose_name = "job log line"
        ordering = ["id"]
        indexes = [models.Index(fields=["job_log", "id"], name="job_log_details_in_order")]

    def __str__(self) -> str:
        return self.message

    @property
    def clock(self) -> str:
        """HH:MM:SS.mmm in the zone of the pages."""
        return timezone.localtime(self.created_at).time().isoformat("milliseconds")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> "NoticeQuerySet":
        """Nobody has acknowledged them yet."""
        return self.filter(acknowledged_at=None)

    def due(self) -> "NoticeQuerySet":
        """To be sent now, by whoever claims them."""
        return self.filter(delivery=Delivery.WAITING, send_at__lte=timezone.now())

    def move(self, old: Delivery, new: Delivery, **values: object) -> bool:
        """Move from one state to another; whether this caller was the one who did it."""
        if (old, new) not in DELIVERIES:
            raise ValueError(f"{old} → {new} is no legal move")
        return self.filter(delivery=old).update(delivery=new, **values) == 1

    def keep_once(self, key: str, **values: object) -> "Notice | None":
        """A new notice; None if there is one of this key, or an open one of the same trouble.

        Of processes that want one at once, the database lets one through. Inside a transaction
        it is kept, or not, with everything else.
        """
        same = models.Q(key=key)
        if trouble := values.get("trouble"):
            same |= models.Q(trouble=trouble, acknowledged_at=None, over_at=None)
        if self.filter(same).exists():
            return None
        try:
            with transaction.atomic():
                return self.create(key=key, **values)
        except IntegrityError:
            if self.filter(same).exists():
                return None
            raise


class Notice(models.Model):
    """Something that happened in the background and that somebody should know. Told once."""

    key = models.CharField(max_length=200, unique=True, help_text="What it is about, once.")
    trouble = models.CharField(
        max_length=200, blank=True, help_text="What goes on until it is over; told once until then."
    )
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    url = models.CharField("page", max_length=500, blank=True, help_text="Path of its page.")
    created_at = models.DateTimeField("time", default=timezone.now)
    over_at = models.DateTimeField("over since", null=True)
    acknowledged_at = models.DateTimeField("acknowledged", null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    delivery = models.CharField(
        max_length=7, choices=Delivery.choices, default=Delivery.KEPT, help_text="To mail or chat."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    send_at = models.DateTimeField(null=True, help_text="Not before then.")
    sent_at = models.DateTimeField("sent", null=True)
    owner = models.CharField(max_length=64, blank=True, help_text="The process that sends it.")
    claimed_at = models.DateTimeField(null=True)
    reached = models.JSONField(default=list, help_text="The receivers that have taken it.")
    error = models.TextField(blank=True, help_text="Why it was not sent.")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        db_table = "notices"
        verbose_name = "notice"
        ordering = ["-created_at", "-id"]
        permissions = [("acknowledge_notice", "Can acknowledge notices")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="notices_newest"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=models.Q(acknowledged_at__isnull=True),
                name="notices_open",
            ),
            models.Index(
                fields=["delivery", "send_at"],
                condition=models.Q(delivery__in=["waiting", "sending"]),
                name="notices_to_be_sent",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["trouble"],
                condition=models.Q(acknowledged_at__isnull=True, over_at__isnull=True)
                & ~models.Q(trouble=""),
                name="notices_one_open_of_a_trouble",
            )
        ]

    def __str__(self) -> str:
        return self.title
