"""Where rows come from, and which of their fields we want."""

from dataclasses import dataclass, field

KINDS = ("text", "number", "whole", "moment")


@dataclass(frozen=True)
class Column:
    """One field that we want, under our name and the source's.

    kind: text, number (Decimal), whole (int) or moment (aware datetime in UTC).
    required: an empty value is a problem of the row.
    """

    field: str
    column: str
    kind: str = "text"
    required: bool = False


@dataclass(frozen=True)
class Source:
    """A question to somebody else's database, or a file.

    name: for messages, like "open orders".
    location: an SQLAlchemy URL, or the path of a .csv or .json file; may hold credentials, so it
    is never shown.
    query: SQL, with :start and :end where the caller bounds it; "" for a file.
    timezone: the zone of moments that name none.
    """

    name: str
    location: str = field(repr=False)
    query: str
    columns: tuple[Column, ...]
    timezone: str = "UTC"

    @property
    def title(self) -> str:
        """The name at the beginning of a sentence."""
        return self.name[:1].upper() + self.name[1:]

    @property
    def is_database(self) -> bool:
        return "://" in self.location
