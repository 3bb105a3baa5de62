"""How long something took, in words."""


def duration_in_words(milliseconds: int | None) -> str | None:
    """840 ms, 3.1 s, 4 min 05 s, 3 h 07 min, 2 d 4 h; None if nobody knows."""
    if milliseconds is None:
        return None
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, rest = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24:,} d {hours % 24} h"


def time_in_words(seconds: float | None) -> str | None:
    return None if seconds is None else duration_in_words(round(seconds * 1000))
