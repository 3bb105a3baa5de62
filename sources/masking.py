"""What a driver says, without the credentials of the source."""

import re
from urllib.parse import quote, quote_plus

from sqlalchemy import URL

MASK = "***"
LONGEST = 300  # characters of what a driver says
DB_LIB = re.compile(r"DB-Lib error message \d+, severity \d+:")
SECRET = re.compile(r"pass|pwd|secret|token|key|user|uid", re.IGNORECASE)


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
    for secret in secrets_of(url):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    return text


def secrets_of(url: URL) -> list[str]:
    """User, password and secret options, as they are and as an address spells them."""
    options = [str(value) for name, value in url.query.items() if SECRET.search(name)]
    known = {str(url.username or ""), str(url.password or ""), *options} - {""}
    spelled = {form for one in known for form in (one, quote(one, safe=""), quote_plus(one))}
    return sorted(spelled, key=len, reverse=True)
