"""manage.py rebuild_positions: compute all positions anew from the trades, or compare them."""

import argparse
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trades.checking import differences
from trades.console import fills_bar, recompute_aloud
from trades.daytotals import count_all, wrong_totals
from trades.models import Account, Position, Trade
from trades.positions import all_pairs, mark_all

MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compute all positions anew from the trades; a position that is the same keeps its number, "
        "notes and tags. With --check nothing is written: exit status 1 if something differs."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--account", default="", metavar="NAME", help="only of this account")
        parser.add_argument("--check", action="store_true", help="compare and write nothing")

    def handle(self, **options: Any) -> None:
        account = account_named(options["account"]) if options["account"] else None
        if options["check"]:
            self.compare(account)
        else:
            self.rebuild(account)

    def rebuild(self, account: Account | None) -> None:
        pairs = mark_all(account)
        recompute_aloud(account and account.pk, of_account(Trade, account))
        count_all()
        count = of_account(Position, account)
        self.stdout.write(f"{count:,} positions of {pairs:,} instruments in accounts.")

    def compare(self, account: Account | None) -> None:
        found = 0
        with fills_bar(of_account(Trade, account)) as progress:
            of_pairs = (differences(pair, progress) for pair in sorted(all_pairs(account)))
            for sentence in chain(chain.from_iterable(of_pairs), wrong_totals(account)):
                found += 1
                if found <= MOST_SHOWN:
                    self.stdout.write(sentence)
        if found > MOST_SHOWN:
            self.stdout.write(f"… and {found - MOST_SHOWN:,} more.")
        if found:
            raise CommandError(f"{found:,} differences; rebuild_positions without --check mends.")
        self.stdout.write(f"{of_account(Position, account):,} positions are as the trades say.")


def of_account(model: type[Trade] | type[Position], account: Account | None) -> int:
    rows = model.objects.filter(account=account) if account else model.objects.all()
    return rows.count()


def account_named(name: str) -> Account:
    try:
        return Account.objects.get(name=name)
    except Account.DoesNotExist:
        raise CommandError(f"There is no account '{name}'.") from None
