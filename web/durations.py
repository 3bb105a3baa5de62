"""How long something took, in words."""


def duration_in_words(milliseconds: int | None) -> str | None:
    """840 ms, 3.1 s; None if nobody knows."""
    if milliseconds is None:
        return None
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"
