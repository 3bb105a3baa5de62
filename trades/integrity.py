"""What does not fit together in the fills of one run: looked for while they are read, in order.

Every rule looks at one run alone, so that a run which is not computed anew keeps its issues. What
the broker states is heeded if it states anything but "flat" somewhere in the account (trusting.py).
issues.py says in a sentence what each kind means.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from trades.decimals import plain
from trades.fills import Fill
from trades.stated import NOTHING, stated_position

NEW_YORK = ZoneInfo("America/New_York")
SESSION_ENDS = time(17)
ONE_DAY = timedelta(days=1)
MOST = 5  # of one kind in one run: where nothing fits, more of them tell no more


class Finding(NamedTuple):
    """An issue of a run. `previous` is the fill before the one at which it shows, if it matters."""

    kind: str
    fill: Fill
    message: str
    detail: dict[str, str]
    previous: Fill | None = None
    shows_from: datetime | None = None


@dataclass(frozen=True)
class Terms:
    """What one must know of a pair to judge its runs.

    `tells_shorts_from`: the first fill that was told as a short sale or a cover; from then on a
    plain sale means one of what was held. None: the broker does not tell them apart.
    """

    has_sessions: bool = True
    tells_shorts_from: datetime | None = None


class Watch:
    """Looks at one run while its fills come in, and says at the end what it has found."""

    def __init__(self, terms: Terms, first: Fill) -> None:
        self.terms = terms
        self.found: list[Finding] = []
        self.apart: list[Finding] = []  # from what the broker states, should that be trusted
        self.is_trusted = False  # what the broker states
        self.has_stated = False  # something else than flat
        self.difference = NOTHING  # of the broker's position from ours
        self.net = NOTHING
        self.moment: list[Fill] = []  # the fills of the last moment
        self.before: Fill | None = None  # the last fill of the moment before
        self.session_end = session_end(first.executed_at) if terms.has_sessions else None

    def opens(self, fill: Fill) -> None:
        """Look at a fill that opens a position or adds to it."""
        if is_told_as_exit(fill, self.terms) and len(self.found) < MOST:
            kind = "cover_without_short" if fill.is_buy else "sell_without_long"
            was = "less was held" if fill.is_rest else "nothing was held"
            words = in_words(fill)
            message = f"{words[0].upper()}{words[1:]} is told as an exit, but {was}."
            self.found.append(Finding(kind, fill, message, detail_of(fill)))

    def arrives(self, fill: Fill) -> None:
        """Another fill comes, and the run was open until then."""
        if not self.moment or fill.executed_at == self.moment[0].executed_at:
            return
        if self.session_end and fill.executed_at > self.session_end:
            self.note_session()
        self.judge()
        self.before, self.moment = self.moment[-1], []

    def after(self, fill: Fill, net: Decimal) -> None:
        """What is held after a fill that is wholly of this run; below 0 if short."""
        self.arrives(fill)
        self.moment.append(fill)
        self.net = net

    def judge(self) -> None:
        """Compare the last moment with what the broker states.

        Of its fills any may have been the last one for the broker, so one that agrees is enough.
        """
        told = [(fill, stated_position(fill.broker_position)) for fill in self.moment]
        stated = [(fill, net) for fill, net in told if net is not None]
        self.has_stated |= any(net for _, net in stated)
        if not stated or any(net == self.net + self.difference for _, net in stated):
            return
        fill, net = stated[-1]
        if len(self.apart) < MOST:
            self.apart.append(self.disagreement(fill, net))
        self.difference = net - self.net

    def disagreement(self, fill: Fill, net: Decimal) -> Finding:
        detail = detail_of(fill) | {"broker": plain(net), "ours": plain(self.net)}
        sentence = f"After {in_words(fill)} the broker states {held(net)}"
        if self.before is None:
            return Finding(
                "broker_position", fill, f"{sentence}, ours is {held(self.net)}.", detail
            )
        # What it stated before, and this fill, make something else.
        words = f"{sentence}; from the fill before, {held(self.net + self.difference)} would follow"
        ours = f", and ours is {held(self.net)}" if self.difference else ""
        return Finding("gap", fill, f"{words}{ours}.", detail, previous=self.before)

    def note_session(self) -> None:
        fill, end = self.moment[-1], self.session_end
        message = f"After {in_words(fill)}, {held(self.net)} was held over the end of the session."
        detail = detail_of(fill) | {"ours": plain(self.net), "session_end": end.isoformat()}
        one = Finding("not_flat_at_session_end", fill, message, detail, shows_from=end)
        self.found.append(one)
        self.session_end = None  # once is enough

    def findings(self, *, is_open: bool) -> list[Finding]:
        """All of them, once the last fill has come."""
        self.judge()
        if is_open and self.session_end:
            self.note_session()
        return [*self.found, *(self.apart if self.is_trusted else [])]


def is_told_as_exit(fill: Fill, terms: Terms) -> bool:
    """Whether somebody says that a fill ends something, by its side or beside it.

    A fill that ends a position and opens the opposite one is an exit as well, and may say so.
    """
    if fill.side == "buy_to_cover":
        return True
    since = terms.tells_shorts_from
    if fill.side == "sell" and since is not None and fill.executed_at >= since:
        return True
    return not fill.is_rest and fill.entry_exit[:4].lower() == "exit"


@lru_cache(1_000)
def end_of_day(day: date) -> datetime:
    return datetime.combine(day, SESSION_ENDS, NEW_YORK).astimezone(UTC)


def session_end(moment: datetime) -> datetime:
    """The end of the session that a moment lies in."""
    day = moment.date()
    end = end_of_day(day)
    return end if moment <= end else end_of_day(day + ONE_DAY)


def held(net: Decimal) -> str:
    if not net:
        return "flat"
    return f"{plain(abs(net))} {'long' if net > 0 else 'short'}"


def in_words(fill: Fill) -> str:
    return f"{fill.side.replace('_', ' ')} {plain(fill.quantity)} at {plain(fill.price)}"


def detail_of(fill: Fill) -> dict[str, str]:
    """Numbers as texts, which keep all digits."""
    return {"side": fill.side, "quantity": plain(fill.quantity), "price": plain(fill.price)}
