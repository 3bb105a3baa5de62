"""Lines that were read become the trades of a batch, in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.models import Deed
from audit.writing import write_down
from batches.lines import StagedLine
from batches.models import Batch, BatchTrade
from batches.states import TradeStatus
from imports.inserting import Columns, insert
from imports.places import instrument_of
from imports.wallclock import as_text
from orders.spool import Spool
from trades.models import Instrument
from trades.symbols import Symbol
from web.jsontext import JSONTextField

SLICE = 500  # symbols that the database is asked for at once


class Staged:
    """Lines of a batch, on disk. `save` makes the batch of them, once."""

    def __init__(self, batch: Batch, spool: Spool) -> None:
        self.batch = batch
        self.spool = spool
        self.symbols: dict[str, Symbol] = {}
        self.bad = 0

    def add(self, lines: list[StagedLine]) -> None:
        if lines:
            self.spool.add(lines)
        for line in lines:
            if line.problems:
                self.bad += 1
            elif line.symbol:
                self.symbols[line.symbol.symbol] = line.symbol

    def save(self) -> Batch:
        """Write the batch and its trades; instruments that are missing are made."""
        self.batch.total_trades = self.spool.rows
        self.batch.failed_trades = self.bad
        with transaction.atomic():
            make_instruments(self.symbols)
            self.batch.save()
            for lines in self.spool:
                write_lines(self.batch, lines)
            user, count = self.batch.created_by, self.batch.total_trades
            write_down(Deed.ADD, self.batch, user=user, count=count, words="trades")
        return self.batch

    def replace(self) -> int:
        """Write the lines in place of those that have their numbers; how many of them are good.

        The caller holds the batch, in a transaction.
        """
        make_instruments(self.symbols)
        for lines in self.spool:
            old = BatchTrade.objects.filter(
                batch=self.batch, sequence__in=[one.sequence for one in lines]
            )
            old._raw_delete(old.db)  # nothing refers to them
            write_lines(self.batch, lines)
        return self.spool.rows - self.bad


def make_instruments(symbols: dict[str, Symbol]) -> None:
    """In the order of their names, so that two who make the same ones wait for each other."""
    names = sorted(symbols)
    for start in range(0, len(names), SLICE):
        some = names[start : start + SLICE]
        known = known_instruments(some)
        for name in some:
            if name not in known:
                instrument_of(symbols[name])


def known_instruments(symbols: Iterable[str]) -> dict[str, int]:
    found = Instrument.objects.filter(symbol__in=list(symbols)).order_by()
    return dict(found.values_list("symbol", "pk"))


def write_lines(batch: Batch, lines: Sequence[StagedLine]) -> None:
    instruments = known_instruments({line.symbol.symbol for line in lines if line.symbol})
    for some in alike(lines):
        insert(BatchTrade, columns_of(batch, some, instruments), len(some))


def alike(lines: Sequence[StagedLine]) -> Iterator[list[StagedLine]]:
    """Lines that fill the same columns: those of moments are left out where there is none."""

    def kind(line: StagedLine) -> tuple[bool, bool]:
        return bool(line.problems), "executed_at" in line.values

    return (list(some) for _, some in groupby(sorted(lines, key=kind), key=kind))


def columns_of(batch: Batch, lines: Sequence[StagedLine], instruments: dict[str, int]) -> Columns:
    bad, has_moment = bool(lines[0].problems), "executed_at" in lines[0].values
    columns: Columns = {
        "batch": batch.pk,
        "sequence": [line.sequence for line in lines],
        "row_number": [line.row_number for line in lines],
        "account": [line.account_id for line in lines],
        "instrument": [
            instruments.get(line.symbol.symbol) if line.symbol else None for line in lines
        ],
        "quantity": [number(line, "quantity") for line in lines],
        "price": [number(line, "price") for line in lines],
        "commission": [number(line, "commission") or "0" for line in lines],
        "raw": [JSONTextField.encoded(line.raw) for line in lines],
        "status": TradeStatus.FAILED if bad else TradeStatus.PENDING,
        "attempts": 0,
        "error_message": [line.message for line in lines],
        "errors": [JSONTextField.encoded(line.errors) for line in lines],
    }
    for name in ("side", "order_id", "trade_name", "notes"):
        columns[name] = [line.values.get(name, "") for line in lines]
    if has_moment:
        columns["executed_at"] = [as_text(line.values["executed_at"]) for line in lines]
    if bad:
        columns["finished_at"] = [as_text(timezone.now())] * len(lines)
    return columns


def number(line: StagedLine, name: str) -> str | None:
    found: Any = line.values.get(name)
    return None if found is None else f"{found:f}"
