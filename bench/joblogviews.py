"""The steps that look at the pages of job logs: fill the tables, ask for each page."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.pageviews import LIST_MOST, PART_MOST, Look, look_at
from bench.step import calm_down
from joblogs.models import JobLog, JobLogDetail
from joblogs.schedules import place_schedules

JOBS = ["import", "rollback", "scan_inbox", "sync_open_orders"]
LINES = 20  # of each job log

FEW_LINES = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(lines)s)
    INSERT INTO job_log_details (job_log_id, message, level, created_at)
    SELECT id, 'Batch ' || i || '/20 imported (500 records)', 'info', created_at
    FROM job_logs, n ORDER BY id, i
"""
MANY_LINES = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(lines)s)
    INSERT INTO job_log_details (job_log_id, message, level, created_at)
    SELECT %(log)s, 'Line ' || i, 'info', %(now)s FROM n
"""


def fill(folder: Path) -> dict[str, object]:
    make_job_logs(json.loads((folder / "sizes.json").read_text())["job_logs"])
    calm_down()
    return {}


def make_job_logs(number: int) -> None:
    """So many logs, five minutes apart, with their lines; the newest has a tenth as many again."""
    place_schedules()  # as any worker does
    now = timezone.now()
    every = timedelta(minutes=5)
    logs = [
        JobLog(
            name=f"bench_{one}",
            job=JOBS[one % len(JOBS)],
            status="error" if one % 50 == 0 else "success",
            trigger="schedule",
            created_at=now - one * every,
            started_at=now - one * every,
            finished_at=now - one * every + every / 10,
            result={"records": 2_000, "changed": one},
        )
        for one in range(number)
    ]
    JobLog.objects.bulk_create(logs, batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute(FEW_LINES, {"lines": LINES})
        longest = {"lines": LINES * number // 10, "log": logs[0].pk, "now": now}
        cursor.execute(MANY_LINES, longest)


def look(folder: Path) -> dict[str, object]:
    settings.ALLOWED_HOSTS = ["testserver"]
    return {"pages": [asdict(one) for one in look_at_all()]}


def look_at_all() -> list[Look]:
    client = Client()
    client.force_login(User.objects.create_superuser("bench of job logs"))
    longest = JobLog.objects.get(name="bench_0")
    keys = JobLogDetail.objects.filter(job_log=longest).order_by("pk")
    middle = keys.first().pk + keys.count() // 2
    last = JobLog.objects.count() // 25
    year_ago = JobLog.objects.order_by("created_at").first().created_at.date()
    queries = {
        "": "",
        ", last page": f"?page={last}",
        ", one job": "?job=rollback",
        ", errors of one job": "?job=import&status=error",
        ", its first days": f"?end_date={year_ago}",
    }
    log = reverse("job-log", args=[longest.pk])
    parts = {
        "newest lines": log,
        "lines in the middle": f"{log}?before={middle}",
        "new lines": reverse("job-log-lines", args=[longest.pk]) + f"?after={middle}",
    }
    listing = reverse("job-logs")
    return [
        *(
            look_at(client, f"job logs{name}", listing + q, LIST_MOST)
            for name, q in queries.items()
        ),
        *(look_at(client, f"job log, {name}", at, PART_MOST) for name, at in parts.items()),
        look_at(client, "scheduler", reverse("scheduler"), LIST_MOST),
    ]
