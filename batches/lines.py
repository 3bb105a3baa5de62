"""One line into an instruction, or into the list of everything that is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from batches.executors import Executor, Instruction
from batches.fields import FIELDS
from batches.mapping import Columns
from imports.dialect import Dialect
from imports.moments import to_utc
from imports.problems import CellError, Problem, shown
from imports.remembered import Remembered
from trades.models import Account
from trades.symbols import Symbol, UnknownSymbol, parse_symbol

PLAIN = Dialect()  # of defaults and of JSON: a decimal point, and the year first


@dataclass(slots=True)
class StagedLine:
    """A line that was read. `values` has, by field, what could be read of it.

    The account is a name, the instrument a canonical symbol, times are UTC, numbers Decimal.
    `raw` has the line as it was given, by heading or key. `remark` is no error but worth saying.
    """

    sequence: int
    row_number: int | None
    raw: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remark: str = ""
    symbol: Symbol | None = None
    account_id: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)  # by field

    @property
    def errors(self) -> list[dict[str, str]]:
        return [problem.as_json() for problem in self.problems]

    @property
    def message(self) -> str:
        """All that is wrong with it, or what is worth saying. Without its place, to be grouped."""
        sentences = [f"{one.field}: {one.error}".removeprefix(": ") for one in self.problems]
        return "; ".join(sentences) or self.remark

    def place_of(self, name: str) -> str:
        """The heading, or else the field, that a message about it names."""
        return self.keys.get(name) or FIELDS[name].label

    def refuse(self, place: str, code: str, sentence: str) -> None:
        self.problems.append(Problem(place, code, sentence))


class LineReader:
    """Reads the lines of one batch. `zone_of` gives the zone of an account's naive times."""

    def __init__(
        self,
        columns: Columns,
        executor: Executor,
        *,
        zone_of: Callable[[str], str],
        dialect: Dialect = PLAIN,
    ) -> None:
        self.keys = Remembered(columns.headings, 2_000)
        self.executor = executor
        self.zone_of = zone_of
        self.accounts = dict(Account.objects.values_list("name", "pk"))
        self.cells = {name: Remembered(reading(name, dialect), 2_000) for name in FIELDS}
        self.defaults = {
            name: reading(name, PLAIN)(text)
            for name, text in columns.defaults.items()
            if text.strip()
        }
        self.symbols = Remembered(lambda key: read_symbol(*key))

    def read(
        self, sequence: int, raw: Mapping[str, Any], row_number: int | None = None
    ) -> StagedLine:
        """Never raises for bad data: every problem of the line stands in the StagedLine."""
        line = StagedLine(sequence, row_number, raw)
        line.keys = self.keys[tuple(raw)]
        for name in FIELDS:
            self.read_field(line, name)
        self.find_account(line)
        self.read_time(line)
        self.read_instrument(line)
        if not line.problems and (reason := self.executor.check(instruction_of(line))):
            line.refuse("", "refused_by_executor", reason)
        return line

    def read_field(self, line: StagedLine, name: str) -> None:
        given = line.raw.get(line.keys.get(name, ""), "")
        text = as_text(given)
        if text is None:
            sentence = f"{shown(str(given))} is neither a text nor a number"
            line.refuse(line.place_of(name), "not_a_text", sentence)
            return
        found = self.cells[name][text] if text.strip() else self.defaults.get(name)
        if isinstance(found, CellError):
            line.refuse(line.place_of(name), found.code, str(found))
        elif found is not None:
            line.values[name] = found
        elif FIELDS[name].required:
            line.refuse(line.place_of(name), f"missing_{name}", "is empty")

    def find_account(self, line: StagedLine) -> None:
        account = line.values.get("account")
        if account is None:
            return
        line.account_id = self.accounts.get(account)
        if line.account_id is None:
            sentence = f"{shown(account)} is no account here; expected one that exists"
            line.refuse(line.place_of("account"), "unknown_account", sentence)

    def read_time(self, line: StagedLine) -> None:
        moment = line.values.pop("executed_at", None)
        if moment is None:
            return
        try:
            utc, line.remark = to_utc(moment, self.zone_of(line.values.get("account", "")))
        except CellError as error:
            line.refuse(line.place_of("executed_at"), error.code, str(error))
        else:
            line.values["executed_at"] = utc

    def read_instrument(self, line: StagedLine) -> None:
        text = line.values.pop("instrument", None)
        if text is None:
            return
        moment: datetime = line.values.get("executed_at") or timezone.now()
        # A one-digit year needs the trade's month; nothing needs its day.
        found = self.symbols[text, moment.date().replace(day=1)]
        if isinstance(found, Symbol):
            line.symbol, line.values["instrument"] = found, found.symbol
        else:
            line.refuse(line.place_of("instrument"), "missing_instrument", found)


def reading(name: str, dialect: Dialect) -> Callable[[str], Any]:
    """How a cell of this field is read: its value, or the CellError that says what is wrong."""
    read = FIELDS[name].read

    def value_or_error(text: str) -> Any:
        try:
            return read(text, dialect)
        except CellError as error:
            return error

    return value_or_error


def read_symbol(text: str, month: date) -> Symbol | str:
    try:
        return parse_symbol(text, month)
    except UnknownSymbol as error:
        return f"{shown(text)}: {error}"


def as_text(given: Any) -> str | None:
    """A value of JSON as a cell would have it; None for what is no text and no number."""
    if isinstance(given, str):
        return given if "\0" not in given else None
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        return None
    # The shortest digits that a float was written with: what was sent, up to 15 of them.
    number = Decimal(repr(given)) if isinstance(given, float) else given
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def instruction_of(line: StagedLine) -> Instruction:
    """What an executor is asked about; it is not to be executed yet."""
    values = line.values
    return Instruction(
        key="",
        sequence=line.sequence,
        account=values["account"],
        instrument=values["instrument"],
        side=values["side"],
        quantity=values["quantity"],
        price=values.get("price"),
        executed_at=values.get("executed_at"),
        commission=values.get("commission", Decimal(0)),
        order_id=values.get("order_id", ""),
        name=values.get("trade_name", ""),
        attempt=0,
    )
