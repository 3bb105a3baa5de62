"""How the states of positions and the kinds of issues look, and how many issues there are."""

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
MOST_COUNTED = 100


def position_badge(position: Position) -> SafeString:
    return OF_POSITIONS[Position.Status(position.status)].html(position.get_status_display())


def issue_badge(issue: IntegrityIssue) -> SafeString:
    kind = KINDS[issue.kind]
    return (ERROR if kind.is_error else NOTICE).html(kind.title)


def count_in_words() -> str:
    """How many errors stand, counted to 99; '' if there are none."""
    errors = IntegrityIssue.objects.standing().errors().order_by()
    number = errors[:MOST_COUNTED].count()
    return f"{MOST_COUNTED - 1}+" if number == MOST_COUNTED else str(number or "")
