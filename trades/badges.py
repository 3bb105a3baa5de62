"""How the states of positions and the kinds of issues look."""

from functools import cache

from django.utils.safestring import SafeString

from trades.issues import KINDS, IntegrityIssue
from trades.positionmodels import Position
from web.badges import Badge

OF_POSITIONS = {
    Position.Status.OPEN: Badge("info", "hourglass_empty"),
    Position.Status.CLOSED: Badge("plain", "check_circle"),
}
ERROR = Badge("danger", "error")
NOTICE = Badge("warning", "info")
REVIEWED = Badge("success", "check_circle")


def position_badge(position: Position) -> SafeString:
    return badge_of(position.status)


@cache  # a list has one in every row
def badge_of(status: str) -> SafeString:
    return OF_POSITIONS[Position.Status(status)].html(Position.Status(status).label)


def issue_badge(issue: IntegrityIssue) -> SafeString:
    return badge_of_kind(issue.kind)


@cache
def badge_of_kind(name: str) -> SafeString:
    kind = KINDS[name]
    return (ERROR if kind.is_error else NOTICE).html(kind.title)
