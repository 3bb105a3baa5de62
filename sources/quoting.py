"""Values as messages and raw rows show them."""

LONGEST_RAW = 5_000  # characters
LONGEST_QUOTED = 60


def quoted(value: object) -> str:
    """A value in quotation marks, cut when long."""
    text = clean(str(value))
    return repr(text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…")


def shown(text: str) -> str:
    """The text as it can be shown and kept anywhere, cut when it has no end."""
    text = clean(text)
    return text if len(text) <= LONGEST_RAW else f"{text[:LONGEST_RAW]}…"


def clean(text: str) -> str:
    """The text without what no database keeps: NUL, and halves of characters."""
    return text.encode(errors="replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")
