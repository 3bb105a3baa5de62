"""What a driver says, without the credentials of the source."""

import re
from itertools import chain
from urllib.parse import quote, quote_plus

from sqlalchemy import URL

MASK = "***"
LONGEST = 300  # characters of what a driver says
DB_LIB = re.compile(r"DB-Lib error message \d+, severity \d+:")
SECRET = re.compile(r"pass|pwd|secret|token|key|user|uid|odbc", re.IGNORECASE)
SHORTEST_SECRET = 4  # characters; shorter ones would mask half of every text


def said_by(error: BaseException, url: URL) -> str:
    """What the driver says, on one line, cut when long, without credentials."""
    return masked(" ".join(words_of(error).split()), url)[:LONGEST].rstrip(".?! ")


def words_of(error: BaseException) -> str:
    """The driver's own words; some give a number and bytes."""
    cause = getattr(error, "orig", None) or error
    words = [part for part in cause.args if isinstance(part, str | bytes)]
    if not words:
        words = [part for part in map(nested, cause.args) if part]
    texts = [word.decode(errors="replace") if isinstance(word, bytes) else word for word in words]
    # SQL Server's own words stand first; what its library adds says less.
    parts = [part.strip() for part in DB_LIB.split(" ".join(texts))]
    return next(filter(None, parts), type(cause).__name__)


def nested(part: object) -> bytes | str:
    """The words in pymssql's (number, b"words")."""
    return part[1] if isinstance(part, tuple) and len(part) == 2 else ""


def masked(text: str, url: URL) -> str:
    """The text without user, password and secret options, as they are or as an address has them."""
    for secret in secrets_of(url):
        text = text.replace(secret, MASK)
    for name in spelled(url.username or ""):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", MASK, text)
    return text


def secrets_of(url: URL) -> list[str]:
    secret = [found for name, found in url.normalized_query.items() if SECRET.search(name)]
    words = [str(url.password or ""), *chain.from_iterable(secret)]
    forms = {form for word in words for form in spelled(word)}
    return sorted((one for one in forms if len(one) >= SHORTEST_SECRET), key=len, reverse=True)


def spelled(word: str) -> set[str]:
    """A word as it is and as an address spells it."""
    return {word, quote(word, safe=""), quote_plus(word)} - {""}
