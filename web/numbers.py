"""Numbers in addresses, which anybody may type."""

MOST_DIGITS = 18  # of a number that every database can look for


def whole_number(text: str) -> int | None:
    """The number that a text is; None if it is none, or longer than any key."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None
