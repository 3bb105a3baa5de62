"""A query to somebody else's database: within a time, in bounded memory, and never written to.

Nothing is committed, and where a database can refuse to write it is told to (drivers.py).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    NullPool,
    TextClause,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from sources.drivers import driver_of, driver_problem, parsed
from sources.masking import said_by
from sources.rows import Cells, SourceError, Table
from sources.source import Source

OTHER_COLON = re.compile(r"(?<![:\w\\]):(?!(?:start|end)\b)(?=\w)")  # no value stands behind it


@contextmanager
def open_database(source: Source, bounds: dict[str, object]) -> Iterator[Table]:
    """The answer to the query as a table. Raises SourceError."""
    question = Question(source)
    with question.connected() as connection:
        result = question.asked(connection, bounds)
        yield Table(list(result.keys()), question.rows(result))


class Question:
    """A source's query to its database; what goes wrong is said in plain words."""

    def __init__(self, source: Source) -> None:
        if problem := driver_problem(source.location):
            raise SourceError(f"{source.title}: the address {problem}.")
        self.source = source
        self.url = parsed(source.location)
        self.driver = driver_of(self.url)
        self.engine = self.engine_there()
        self.result: CursorResult | None = None
        self.errors = (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error, OSError)

    def engine_there(self) -> Engine:
        arguments = self.driver.arguments()
        try:
            engine = create_engine(
                self.url, poolclass=NullPool, hide_parameters=True, connect_args=arguments
            )
        except (SQLAlchemyError, TypeError, ValueError) as error:
            words = said_by(error, self.url)
            raise SourceError(f"{self.source.title}: the address is wrong: {words}.") from None
        # First: SQLAlchemy has questions of its own as soon as there is a connection.
        event.listen(engine, "connect", lambda made, _: self.driver.bound(made), insert=True)
        return engine

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        # A driver does not know an option of the address, or its value.
        with self.told(f"{self.place} cannot be reached", TypeError, ValueError):
            connection = self.engine.connect()
        try:
            yield connection
        finally:
            with suppress(*self.errors):  # it may be gone
                if self.result is not None:
                    self.driver.leave(self.result)
            with suppress(*self.errors):
                connection.invalidate()
                connection.close()

    def asked(self, connection: Connection, bounds: dict[str, object]) -> CursorResult:
        statement = text(OTHER_COLON.sub(r"\:", self.source.query))
        values = self.values_of(statement, bounds)
        with self.told(f"{self.place} refuses the query"):
            self.driver.prepare(connection, self.source.timezone)
            connection = connection.execution_options(stream_results=True)
            result = self.result = connection.execute(statement, values)
        if not result.returns_rows:
            raise SourceError(f"{self.source.title}: the query gives no rows; expected a SELECT.")
        return result

    def values_of(self, statement: TextClause, bounds: dict[str, object]) -> dict[str, object]:
        """What the query asks for by name."""
        asked = statement.compile().params
        for name in asked:
            if name not in bounds:
                raise SourceError(f"{self.source.title}: nothing gives the query its :{name}.")
        return {name: self.on_its_clock(bounds[name]) for name in asked}

    def on_its_clock(self, value: object) -> object:
        if not isinstance(value, datetime):
            return value
        there = value.astimezone(ZoneInfo(self.source.timezone))
        return self.driver.moment(there.replace(tzinfo=None))

    def rows(self, result: CursorResult) -> Iterator[Cells]:
        with self.told(f"{self.place} broke off"):
            yield from self.driver.rows(result)

    @contextmanager
    def told(self, what: str, *also: type[Exception]) -> Iterator[None]:
        try:
            yield
        except (*self.errors, *also) as error:
            words = said_by(error, self.url)
            raise SourceError(f"{self.source.title}: {what}: {words}.") from None

    @property
    def place(self) -> str:
        """Where the database is, for messages."""
        if self.url.host is None:
            return "the database"
        port = f":{self.url.port}" if self.url.port else ""
        return f"the database at {self.url.host}{port}"
