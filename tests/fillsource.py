"""A database of somebody else with executions in it, of which days can be made to fail."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "execution_id=FillID,account=Acct,instrument=Symbol,side=BS,quantity=Qty,price=Px,"
    "commission=Fee,executed_at=FilledAt"
)
# Of a day that stands in `bad_days` no answer comes: SQLite runs into an overflow.
QUERY = """
SELECT FillID, Acct, Symbol, BS, Qty, Px, Fee, FilledAt FROM fills
WHERE FilledAt >= :start AND FilledAt < :end AND 1 = (SELECT CASE WHEN EXISTS
    (SELECT 1 FROM bad_days WHERE day = date(:start)) THEN abs(-9223372036854775807 - 1) ELSE 1 END)
ORDER BY FilledAt, FillID
"""


@dataclass(frozen=True)
class FillSource:
    """A SQLite file. Times are naive, of the zone of the source."""

    path: Path
    timezone: str = "UTC"

    def prepare(self) -> "FillSource":
        with self.connected() as database:
            names = "FillID, Acct, Symbol, BS, Qty, Px, Fee, FilledAt"
            database.execute(f"CREATE TABLE fills ({names})")
            database.execute("CREATE TABLE bad_days (day)")
        return self

    def fill(self, fill_id: str | None, at: str, **values: object) -> None:
        usual = {"Acct": "Sim101", "Symbol": "MNQ 03-26", "BS": "Buy", "Qty": "1", "Px": "21350.5"}
        row = usual | {"Fee": "0.52", "FillID": fill_id, "FilledAt": at} | values
        marks = ", ".join("?" * len(row))
        with self.connected() as database:
            database.execute(
                f"INSERT INTO fills ({', '.join(row)}) VALUES ({marks})", list(row.values())
            )

    def spoil(self, day: str) -> None:
        with self.connected() as database:
            database.execute("INSERT INTO bad_days VALUES (?)", [day])

    def mend(self) -> None:
        with self.connected() as database:
            database.execute("DELETE FROM bad_days")

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path)
        try:
            with database:
                yield database
        finally:
            database.close()

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def as_setting(self) -> dict[str, str]:
        return {"URL": self.url, "QUERY": QUERY, "COLUMNS": COLUMNS, "TIMEZONE": self.timezone}

    def as_environment(self) -> dict[str, str]:
        return {f"TRADELOG_EXECUTIONS_{name}": value for name, value in self.as_setting().items()}


def use(settings: object, wishes: dict[str, str]) -> None:
    """Have this source be the one of executions."""
    settings.TRADELOG_SOURCES = settings.TRADELOG_SOURCES | {"EXECUTIONS": wishes}
