"""Secrets in what is written down become ***.

Rather too much is masked than too little. What a pattern must look at again and again is bounded,
so the time grows with the length of the text and no faster.
"""

import re
from urllib.parse import quote

from django.conf import settings

MASK = "***"
SHORTEST_SECRET = 4  # characters; shorter ones would mask half of every text
SHORTEST_PART = 8  # of the address of a receiver, as what is shorter is a word or a port
HOST = re.compile(r"[\d.]+|([\w-]+\.)+[a-z]{2,}", re.IGNORECASE)
NAMES = (
    r"passw(?:or)?d|passphrase|pwd|token|secret|credentials?|api[-_ ]?key|access[-_ ]?key|"
    r"private[-_ ]?key|session[-_ ]?(?:id|key)|cookie"
)
NAMED = re.compile(rf"(?:{NAMES}|authorization)", re.IGNORECASE)
PATTERNS = [
    # scheme://user:PASSWORD@host; the password may contain anything but spaces
    (re.compile(r"(://[^\s:/?#@]{0,200}:)[^\s]{1,200}@"), rf"\1{MASK}@"),
    # Authorization: Basic …, to the end of the line or of the quotation
    (
        re.compile(r"(authorization[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\r\n\"']+", re.I),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(bearer\s{1,3})[\w.~+/=-]{8,}", re.I), rf"\1{MASK}"),
    # password=…, api_key: …, "token": "…"
    (
        re.compile(
            rf"((?:{NAMES})[\w-]{{0,20}}[\"']?\s{{0,3}}[=:]\s{{0,3}})"
            r"(?:\"[^\"\r\n]+\"?|'[^'\r\n]+'?|[^\s&;\"']+)",
            re.I,
        ),
        rf"\1{MASK}",
    ),
]


def mask(text: str) -> str:
    """The text without the installation's own secrets, and without what looks like one."""
    for secret in own_secrets():
        text = text.replace(secret, MASK)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def names_a_secret(name: str) -> bool:
    """Whether what stands under this name should not be shown."""
    return NAMED.search(name) is not None


def own_secrets() -> list[str]:
    """The secrets in the settings, as they are and as they stand in an address; longest first."""
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS, settings.TRADELOG_ADMIN_PASSWORD]
    known.append(settings.TRADELOG_METRICS_TOKEN)
    known += [str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()]
    known += [part for address in settings.TRADELOG_NOTIFY_URLS for part in secret_parts(address)]
    forms = {form for secret in known for form in (secret, quote(secret, safe=""))}
    return sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True)


def secret_parts(address: str) -> list[str]:
    """Where a receiver of notices is, as a whole and in parts: any may be a token but a host."""
    parts = re.split(r"[/?&=:@#,]+", address.partition("://")[2])
    longer = [part for part in parts if len(part) >= SHORTEST_PART and not HOST.fullmatch(part)]
    return [address, *longer, *re.findall(r":([^/:@]+)@", address)]
