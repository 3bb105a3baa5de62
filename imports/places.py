"""Where an execution belongs: its account and its instrument, made when first seen."""

from django.conf import settings

from imports.asking import Snapshot
from trades.models import Account, Instrument
from trades.symbols import FUTURES, Symbol


class Places:
    """Accounts and instruments by name, and a snapshot, remembered for the length of an import.

    Call `forget` when a transaction that may have made some was rolled back.
    """

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.forget()
        self.snapshot = snapshot

    def forget(self) -> None:
        self.snapshot = None
        self.accounts: dict[str, int] = {}
        self.instruments: dict[str, int] = {}

    def learn(self, accounts: set[str], symbols: dict[str, Symbol]) -> None:
        """Know these accounts, and these instruments by name; those that are missing are made.

        In the order of their names, so that two imports that make the same ones at the same time
        wait for each other instead of locking each other out.
        """
        for name in sorted(accounts - self.accounts.keys()):
            self.accounts[name] = Account.objects.get_or_create(name=name)[0].pk
        for name in sorted(symbols.keys() - self.instruments.keys()):
            self.instruments[name] = instrument_of(symbols[name]).pk

    def all_exist(self, account_ids: set[int], instrument_ids: set[int]) -> bool:
        """Whether nobody has deleted one of them meanwhile; no constraint of the trades tells."""
        return Account.objects.filter(pk__in=account_ids).count() == len(
            account_ids
        ) and Instrument.objects.filter(pk__in=instrument_ids).count() == len(instrument_ids)


def zones_for(whole_file: str) -> dict[str, str]:
    """The zone of naive times by account; that of all others stands under ''.

    The user's word for the whole file goes before an account's zone, and that before our own. An
    import remembers what it began with: whoever goes on with it, or retries it, must read the same
    times, or known lines would be unknown.
    """
    if whole_file:
        return {"": whole_file}
    own = Account.objects.exclude(timezone="").values_list("name", "timezone")
    return {"": settings.TIME_ZONE, **dict(own)}


def instrument_of(symbol: Symbol) -> Instrument:
    """The instrument of a symbol; a new one gets the contract's terms if its root is known."""
    terms = FUTURES.get(symbol.root) if symbol.kind == "future" else None
    return Instrument.objects.get_or_create(
        symbol=symbol.symbol,
        defaults={
            "root": symbol.root,
            "expiry": symbol.expiry,
            "kind": symbol.kind,
            "currency": terms.currency if terms else symbol.currency,
            "point_value": terms.point_value if terms else None,
            "tick_size": terms.tick_size if terms else None,
        },
    )[0]
