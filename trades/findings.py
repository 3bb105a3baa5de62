"""What was found in runs into rows: an issue keeps its row, and its dismissal, for as long as it is
found again."""

from collections.abc import Iterable

from django.utils import timezone

from trades.bulk import batched
from trades.integrity import Finding
from trades.models import IntegrityIssue
from trades.runs import Run
from trades.touched import Pair

AT_ONCE = 5_000  # positions asked for
WRITTEN = (
    "position_id",
    "trade_id",
    "previous_trade_id",
    "message",
    "detail",
    "occurred_at",
    "shows_from",
    "resolved_at",
)


def write_findings(
    pair: Pair, found: Iterable[tuple[Run, int]], stale_positions: list[int]
) -> None:
    """Have the issues of these positions, given by their ids, say what is found now."""
    there = {(one.kind, one.key): one for one in issues_of(pair, stale_positions)}
    new = []
    for run, position_id in found:
        for finding in run.findings():
            issue = issue_of(pair, finding, position_id)
            old = there.pop((issue.kind, issue.key), None)
            if old is None:
                new.append(issue)
            elif any(getattr(old, name) != getattr(issue, name) for name in WRITTEN):
                values = {name: getattr(issue, name) for name in WRITTEN}
                IntegrityIssue.objects.filter(pk=old.pk).update(**values)
    IntegrityIssue.objects.bulk_create(new, batch_size=500)
    resolve([one.pk for one in there.values() if one.resolved_at is None])


def issues_of(pair: Pair, positions: list[int]) -> Iterable[IntegrityIssue]:
    """Those of these positions, and those that were resolved."""
    ours = IntegrityIssue.objects.filter(
        account=pair.account_id, instrument=pair.instrument_id
    ).order_by("pk")
    yield from ours.filter(position=None)
    for some in batched(positions, AT_ONCE):
        yield from ours.filter(position__in=some)


def issue_of(pair: Pair, finding: Finding, position_id: int) -> IntegrityIssue:
    fill = finding.fill
    return IntegrityIssue(
        kind=finding.kind,
        account_id=pair.account_id,
        instrument_id=pair.instrument_id,
        position_id=position_id,
        trade_id=fill.trade_id,
        previous_trade_id=finding.previous and finding.previous.trade_id,
        key=fill.execution_id or f"trade {fill.trade_id}",
        message=finding.message,
        detail=finding.detail,
        occurred_at=fill.executed_at,
        shows_from=finding.shows_from or fill.executed_at,
    )


def resolve(pks: list[int]) -> None:
    """They are not found any more. A dismissed one is remembered, should it come back."""
    gone = IntegrityIssue.objects.filter(pk__in=pks)
    gone.filter(dismissed_at=None).delete()
    gone.exclude(dismissed_at=None).update(position=None, resolved_at=timezone.now())
