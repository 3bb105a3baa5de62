"""What a broker's symbol text means: the many spellings of one instrument become one.

`MNQ 12-25`, `MNQ DEC25`, `MNQZ5` and `/MNQZ25` are one future; `EUR/USD` and `EURUSD` one pair.
The point values and ticks beside this file are in `futures.csv`: currency per 1.00 of the
displayed price.
"""

import csv
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["future", "stock", "option", "forex", "crypto"]


@dataclass(frozen=True, slots=True)
class Future:
    """One product of `futures.csv`; point_value and tick_size are per the displayed price."""

    root: str
    name: str
    exchange: str
    currency: str
    point_value: Decimal
    tick_size: Decimal
    quote_unit: str
    sources: int  # public tables that agree


@dataclass(frozen=True, slots=True)
class Symbol:
    """One instrument: the symbol is canonical, so equal symbols are the same instrument.

    The root is the product of a future, the underlying of an option, else the symbol itself.
    The expiry is the first day of the expiry month; None where nothing expires or no month is
    named (`ES ##-##`). A pair is priced, and wins or loses, in its second currency; '' if that is
    a coin, and for all others.
    """

    symbol: str
    root: str
    expiry: datetime.date | None
    kind: Kind
    currency: str = field(default="", compare=False)


class UnknownSymbol(ValueError):
    """The text cannot be a symbol; the message is a sentence for the user."""


def _read_futures(path: Path) -> Iterator[Future]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield Future(
                root=row["root"],
                name=row["name"],
                exchange=row["exchange"],
                currency=row["currency"],
                point_value=Decimal(row["point_value"]),
                tick_size=Decimal(row["tick_size"]),
                quote_unit=row["quote_unit"],
                sources=int(row["sources"]),
            )


FUTURES: dict[str, Future] = {
    future.root: future for future in _read_futures(Path(__file__).with_name("futures.csv"))
}

LONGEST_SYMBOL = 40

MONTH_CODES = "FGHJKMNQUVXZ"
MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
MONTHS: dict[str, int] = {
    spelling: month
    for month, (code, name) in enumerate(zip(MONTH_CODES, MONTH_NAMES, strict=True), start=1)
    for spelling in (code, name, f"{month}", f"{month:02}")
}

# CNH is no ISO 4217 code, but the offshore yuan is what brokers trade under it.
CURRENCIES = (
    "USD|EUR|GBP|JPY|CHF|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|MXN|SGD|HKD|CNY|CNH|THB|ILS|"
    "INR|KRW|BRL|XAU|XAG|XPT|XPD"
)
COINS = "BTC|XBT|ETH|SOL|XRP|ADA|DOGE|LTC|BCH|DOT|LINK|AVAX|BNB|TRX|XLM|UNI|ATOM|SHIB|USDT|USDC"

# No \d and no \s below: they also match the digits and spaces of other scripts.
_SPACES = re.compile("[ \u00a0\u2000-\u200a\u202f\u205f\u3000]+")
# One to four letters or digits, a letter among them.
_ROOT = (
    "/?(?P<root>[A-Z][A-Z0-9]{0,3}|[0-9][A-Z][A-Z0-9]{0,2}|[0-9]{2}[A-Z][A-Z0-9]?|[0-9]{3}[A-Z])"
)
_CONTINUOUS = re.compile(f"{_ROOT} ##-##")
# The month of a short code is its last letter, so digits in the root (`M2KM6`) never mislead.
_SPELLED_OUT = (
    re.compile(f"{_ROOT} (?P<month>[0-9]{{1,2}})[-.](?P<year>(?:20)?[0-9]{{2}})"),
    re.compile(f"{_ROOT} (?P<month>[A-Z]{{3}})(?P<year>(?:20)?[0-9]{{2}})"),
)
_SHORT = re.compile(f"{_ROOT}(?P<month>[{MONTH_CODES}])(?P<year>(?:20)?[0-9]{{2}}|[0-9])")
_OPTION = re.compile("(?P<root>[A-Z0-9]{1,6}) ?(?P<day>[0-9]{6})(?P<strike>[CP][0-9]{8})")
_FOREX = re.compile(f"({CURRENCIES})[-/._]?(?!\\1$)({CURRENCIES})")
_CRYPTO = re.compile(f"({CURRENCIES}|{COINS})[-/._]?(?!\\1$)({CURRENCIES}|{COINS})")


@lru_cache(maxsize=4096)
def parse_symbol(text: str, traded_on: datetime.date) -> Symbol:
    """Return the instrument that a broker calls `text`; what nothing else claims is a stock.

    The day of the trade decides the decade of a single-digit year (`MNQZ5`), never the clock.
    Raises UnknownSymbol for text that is empty, too long or not printable.
    """
    name = _normalise(text)
    return (
        _future(name, traded_on)
        or _option(name)
        or _pair(name)
        or Symbol(symbol=name, root=name, expiry=None, kind="stock")
    )


def _normalise(text: str) -> str:
    """Return the text in upper case with single spaces."""
    name = _SPACES.sub(" ", text).strip(" ").upper()
    if not name:
        raise UnknownSymbol("The symbol is empty.")
    if len(name) > LONGEST_SYMBOL:
        raise UnknownSymbol(
            f"The symbol {name[:LONGEST_SYMBOL]!a}… has {len(name)} characters; "
            f"at most {LONGEST_SYMBOL} are possible."
        )
    if not name.isprintable():
        raise UnknownSymbol(f"The symbol {name!a} contains a control or invisible character.")
    return name


def _future(name: str, traded_on: datetime.date) -> Symbol | None:
    if match := _CONTINUOUS.fullmatch(name):
        return Symbol(f"{match['root']} ##-##", match["root"], expiry=None, kind="future")
    for contract in (*_SPELLED_OUT, _SHORT):
        match = contract.fullmatch(name)
        expiry = match and _expiry(match["month"], match["year"], traded_on)
        if expiry and (contract is not _SHORT or _may_be_listed(match["root"], match["year"])):
            return Symbol(f"{match['root']} {expiry:%m-%y}", match["root"], expiry, kind="future")
    return None


def _may_be_listed(root: str, year: str) -> bool:
    """Whether a short code means a contract.

    Of a root that we do not know, one letter and a number are not enough, and the year must be
    near: `HK33` and `STOXX50` are indices, no contracts of May and November.
    """
    return root in FUTURES or (len(root) > 1 and (len(year) == 1 or int(year[-2:]) < 50))


def _expiry(month: str, year: str, traded_on: datetime.date) -> datetime.date | None:
    """Return the first of the contract's month, None if there is no such month.

    Only this century counts, because the canonical spelling has two digits for the year.
    """
    if month not in MONTHS:
        return None
    number = MONTHS[month]
    full_year = 2000 + int(year[-2:]) if len(year) > 1 else _decide_decade(year, number, traded_on)
    return datetime.date(full_year, number, 1) if 2000 <= full_year <= 2099 else None


def _decide_decade(digit: str, month: int, traded_on: datetime.date) -> int:
    """Return the first year with that last digit in which the contract could still trade.

    A contract trades before it expires; the month before the trade is allowed as grace.
    """
    month_before_trade = traded_on.year * 12 + traded_on.month - 2  # months since year 0
    earliest = -((month - 1 - month_before_trade) // 12)  # rounded up
    return earliest + (int(digit) - earliest) % 10


def _option(name: str) -> Symbol | None:
    """Recognise the OCC form, padded or not: `AAPL  260116C00150000`."""
    match = _OPTION.fullmatch(name)
    if match is None:
        return None
    try:
        expiry = datetime.date.fromisoformat(f"20{match['day']}").replace(day=1)
    except ValueError:
        return None
    symbol = f"{match['root']} {match['day']}{match['strike']}"
    return Symbol(symbol, match["root"], expiry, kind="option")


def _pair(name: str) -> Symbol | None:
    """Recognise two different currencies (forex), or a pair with a coin on either side (crypto)."""
    match = _FOREX.fullmatch(name) or _CRYPTO.fullmatch(name)
    if match is None:
        return None
    pair = match[1] + match[2]
    kind: Kind = "forex" if match.re is _FOREX else "crypto"
    currency = match[2] if match[2] in CURRENCIES.split("|") else ""
    return Symbol(pair, root=pair, expiry=None, kind=kind, currency=currency)
