"""The measurement of the pages takes place; how many questions they ask is no matter of speed."""

import pytest

from bench import joblogviews
from bench.pageviews import look_at_all, make_imports, make_rows
from imports.models import ImportRowLog
from joblogs.models import JobLogDetail
from joblogs.registry import JOBS
from trades.models import Trade


@pytest.mark.django_db
def test_every_page_asks_little() -> None:
    make_imports(120)
    make_rows(400)
    assert (ImportRowLog.objects.count(), Trade.objects.count()) == (400, 308)
    found = {one.name: one.queries for one in look_at_all()}
    assert max(found.values()) <= 14
    assert len(found) == 16


@pytest.mark.django_db
def test_every_page_of_job_logs_asks_little() -> None:
    joblogviews.make_job_logs(60)
    assert JobLogDetail.objects.count() == 60 * 20 + 120
    found = {one.name: one.queries for one in joblogviews.look_at_all()}
    recurring = sum(job.every > 0 for job in JOBS.values())
    assert found.pop("scheduler") <= 9 + 3 * recurring
    assert max(found.values()) <= 10, found
    assert len(found) == 8
