"""What the API of job logs and recurring jobs gives."""

from rest_framework import serializers

from joblogs.models import JobLog, JobLogDetail
from joblogs.recurring import Recurring
from web.api import MomentField
from web.apishapes import Answer, BoundedPage, PageByKey


class JobLogData(serializers.ModelSerializer):
    asked_by = serializers.CharField(
        source="asked_by.username",
        default=None,
        allow_null=True,
        help_text="The user, if one has asked for it.",
    )
    subject_id = serializers.IntegerField(
        allow_null=True, help_text="What it is about; which import, say."
    )
    created_at = MomentField()
    started_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)
    heartbeat_at = MomentField(allow_null=True, help_text="Its last sign of life.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Until now, if it runs.")
    result = serializers.DictField(child=serializers.JSONField(), help_text="Counters.")

    class Meta:
        model = JobLog
        fields = [
            "id",
            "name",
            "job",
            "status",
            "trigger",
            "asked_by",
            "subject_id",
            "created_at",
            "started_at",
            "finished_at",
            "heartbeat_at",
            "duration_ms",
            "result",
            "error",
        ]


class LineData(serializers.ModelSerializer):
    created_at = MomentField()

    class Meta:
        model = JobLogDetail
        fields = ["id", "created_at", "level", "message"]


class JobLogList(Answer):
    job_logs = JobLogData(many=True)
    pagination = BoundedPage()


class JobLogDetailAnswer(Answer):
    job_log = JobLogData()


class Lines(Answer):
    status = serializers.CharField(help_text="Of the job; `new` and `processing` write more.")
    lines = LineData(many=True)
    pagination = PageByKey()


class RecurringData(serializers.Serializer):
    name = serializers.CharField()
    every_minutes = serializers.IntegerField(source="every")
    is_paused = serializers.BooleanField()
    is_running = serializers.BooleanField(help_text="Or waits to be.")
    is_late = serializers.BooleanField()
    next_run_at = MomentField(allow_null=True, help_text="Null while it is paused.")
    last_run_at = MomentField(allow_null=True)
    outcome = serializers.CharField(
        help_text="Of the last run: new, processing, success, error, idle (there was nothing to "
        "do, and there is no log), or empty if it has never run."
    )
    last_job_log = serializers.SerializerMethodField(help_text="ID of the newest log.")

    def get_last_job_log(self, job: Recurring) -> int | None:
        return job.log.pk if job.log else None


class BeatData(serializers.Serializer):
    at = MomentField(allow_null=True, help_text="The last sign of life of a worker.")
    is_silent = serializers.BooleanField(help_text="Nothing works on the queue.")
    waiting = serializers.IntegerField(help_text="Jobs that nobody has taken up.")


class Schedules(Answer):
    beat = BeatData()
    schedules = RecurringData(many=True)


class Begun(Answer):
    message = serializers.CharField()
    id = serializers.IntegerField(help_text="Of the new job log.")
    name = serializers.CharField(help_text="Of the new job log.")


class Done(Answer):
    message = serializers.CharField()
