"""Where an execution belongs: its account and its instrument, made when first seen."""

from collections.abc import Iterable

from django.conf import settings

from imports.lines import Execution
from trades.models import Account, Instrument
from trades.symbols import FUTURES, Symbol


class Places:
    """Accounts and instruments by name, remembered for the length of an import.

    Call `forget` when a transaction that may have made some was rolled back.
    """

    def __init__(self, zone: str = "") -> None:
        self.zone = zone  # the user's word for the whole file
        self.forget()

    def forget(self) -> None:
        self.accounts: dict[str, int] = {}
        self.instruments: dict[str, int] = {}
        self.zones = dict(
            Account.objects.exclude(timezone="").values_list("name", "timezone").iterator()
        )

    def zone_of(self, account: str) -> str:
        """The zone of naive times: as the user said, else the account's, else our own."""
        return self.zone or self.zones.get(account) or settings.TIME_ZONE

    def account(self, execution: Execution) -> int:
        return self.accounts[execution.account]

    def instrument(self, execution: Execution) -> int:
        return self.instruments[execution.symbol.symbol]

    def learn(self, executions: Iterable[Execution]) -> None:
        """Know the places of these executions; those that are missing are made.

        In the order of their names, so that two imports that make the same ones at the same time
        wait for each other instead of locking each other out.
        """
        executions = list(executions)
        for name in sorted({one.account for one in executions} - self.accounts.keys()):
            self.accounts[name] = Account.objects.get_or_create(name=name)[0].pk
        symbols = {one.symbol.symbol: one.symbol for one in executions}
        for name in sorted(symbols.keys() - self.instruments.keys()):
            self.instruments[name] = instrument_of(symbols[name]).pk

    def all_exist(self, account_ids: set[int], instrument_ids: set[int]) -> bool:
        """Whether nobody has deleted one of them meanwhile; no constraint of the trades tells."""
        return Account.objects.filter(pk__in=account_ids).count() == len(
            account_ids
        ) and Instrument.objects.filter(pk__in=instrument_ids).count() == len(instrument_ids)


def instrument_of(symbol: Symbol) -> Instrument:
    """The instrument of a symbol; a new one gets the contract's terms if its root is known."""
    terms = FUTURES.get(symbol.root) if symbol.kind == "future" else None
    return Instrument.objects.get_or_create(
        symbol=symbol.symbol,
        defaults={
            "root": symbol.root,
            "expiry": symbol.expiry,
            "kind": symbol.kind,
            "currency": terms.currency if terms else "",
            "point_value": terms.point_value if terms else None,
            "tick_size": terms.tick_size if terms else None,
        },
    )[0]
