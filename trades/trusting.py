"""Which accounts' brokers are trusted where they state what is held after a fill.

Of some accounts the platform knows no position: it states "-" after every fill. So an account is
trusted as soon as something else is stated after one of its fills, in whatever instrument, and as
long as such a fill is there. If that changes, all its positions are looked at anew.
"""

from trades.models import Account, Position, Trade
from trades.runs import Run
from trades.stated import stated_position
from trades.touched import Pair, mark_wholly

SILENT = ("", "-")


def trust(pair: Pair, account: Account | None, found: list[Run], *, has_earlier: bool) -> None:
    """Tell these runs whether what the broker states of them is to be heeded.

    `has_earlier`: whether the pair has positions that are not computed anew now.
    """
    was_trusted = is_trusted(account)
    if any(run.has_stated for run in found):
        now = True
    else:
        now = was_trusted and states_positions(pair.account_id)
    if now != was_trusted:
        Account.objects.filter(pk=pair.account_id).update(states_positions=now)
        mark_wholly(sorted(of_account(pair.account_id) - (set() if has_earlier else {pair})))
    heed(found, now)


def heed(found: list[Run], is_to_be: bool) -> None:
    for run in found:
        run.watch.is_trusted = is_to_be


def is_trusted(account: Account | None) -> bool:
    return account is not None and account.states_positions


def states_positions(account_id: int) -> bool:
    """Whether anything but "flat" is stated after one of its fills."""
    told = Trade.objects.filter(account=account_id).exclude(broker_position__in=SILENT)
    texts = told.order_by().values_list("broker_position", flat=True)
    return any(map(stated_position, texts.iterator()))


def of_account(account_id: int) -> set[Pair]:
    """The pairs of an account that have positions."""
    rows = Position.objects.filter(account=account_id).order_by()
    return {Pair(*row) for row in rows.values_list("account_id", "instrument_id").distinct()}
