"""How the imports of a time came out: a part of the dashboard."""

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q, QuerySet

from imports.chart import STEP, Chart, chart
from imports.models import ImportExecutionLog
from imports.states import Status
from imports.statistics import OUTCOMES, Day, counts
from web.clock import local_day
from web.periods import Period, begin_of, step_for, steps_between

LEAST = 30  # bars that a drawing has room for


def imports_of(period: Period, accounts: list[str]) -> QuerySet[ImportExecutionLog]:
    """Those that were asked for in a period and concern any of these accounts, if any are named."""
    found = ImportExecutionLog.objects.filter(period.has("queued_at")).order_by()
    return reduce(or_, map(found.with_account, accounts)) if accounts else found


def outcomes(found: QuerySet[ImportExecutionLog]) -> dict[str, Any]:
    """What the template needs: the numbers by outcome, and the same over time."""
    by_status = counts(found, "status", Status.values)
    step, days = in_steps(by_day(found))
    return {
        "by_status": [(one.value, one.label, by_status[one]) for one in Status if by_status[one]],
        "total": sum(by_status.values()),
        "step": step,
        "chart": drawn(days),
    }


def drawn(days: list[Day]) -> Chart:
    """With room for some bars, so that few do not become broad."""
    found = chart(days)
    return replace(found, width=max(found.width, LEAST * STEP))


def by_day(found: QuerySet[ImportExecutionLog]) -> list[Day]:
    """The days on which there were any, the oldest first."""
    numbers = {name: Count("pk", filter=Q(status__in=states)) for name, states in OUTCOMES.items()}
    rows = found.values(date=local_day("queued_at", found)).annotate(**numbers)
    return [Day(**row) for row in rows.order_by("date")]


def in_steps(days: list[Day]) -> tuple[str, list[Day]]:
    """Every day, week, month or year from the first to the last, whichever are not too many."""
    if not days:
        return "day", []
    first, last = days[0].date, days[-1].date
    step = step_for(first, last)
    sums = {day: dict.fromkeys(OUTCOMES, 0) for day in steps_between(step, first, last)}
    for day in days:
        of_step = sums[begin_of(step, day.date)]
        for name in OUTCOMES:
            of_step[name] += getattr(day, name)
    return step, [Day(first, **numbers) for first, numbers in sums.items()]
