"""Which positions must be computed anew, and from when on: marks that stand beside the change.

Whoever adds, deletes or changes trades marks their accounts and instruments in the transaction of
the change, so there is none without its mark. Who recomputes deletes the marks with the positions
that it writes (positions.py); if it dies before, they are still there.

Marks are only ever added, never changed: nobody waits for another who marks the same.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection, models
from django.db.models import Min, QuerySet
from django.db.models.functions import Coalesce, Now

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # before every trade


class Pair(NamedTuple):
    """What has positions of its own: an instrument in an account."""

    account_id: int
    instrument_id: int


class TouchedPair(models.Model):
    """A mark: from this moment on, the positions of the pair are no longer those of its trades."""

    account = models.ForeignKey(
        "trades.Account", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    instrument = models.ForeignKey(
        "trades.Instrument", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    since = models.DateTimeField()
    import_log = models.ForeignKey(
        "imports.ImportExecutionLog",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="The import that is told how many positions this changes.",
    )
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    class Meta:
        db_table = "touched_pairs"
        default_permissions = ()  # nobody looks at them
        indexes = [models.Index(fields=["account", "instrument", "id"], name="touched_by_pair")]

    def __str__(self) -> str:
        return f"{self.account_id}, {self.instrument_id} since {self.since}"


def mark(pairs: Mapping[tuple[int, int], datetime], import_id: int | None = None) -> None:
    """Have the positions of these (account_id, instrument_id) computed anew.

    Each with the least time of a trade that was added, deleted or changed. To be called in the
    transaction of the change. An import that takes them in learns how many positions changed.
    """
    TouchedPair.objects.bulk_create(
        TouchedPair(account_id=account, instrument_id=pair, since=since, import_log_id=import_id)
        for (account, pair), since in pairs.items()
    )


def mark_wholly(pairs: Iterable[tuple[int, int]]) -> None:
    """The same for all positions of these pairs, as after a change of what a point is worth."""
    mark(dict.fromkeys(pairs, BEGINNING))


def mark_fills(fills: Iterable[tuple[int, int, datetime]]) -> None:
    """The same for fills at hand: account_id, instrument_id, executed_at of each."""
    first: dict[tuple[int, int], datetime] = {}
    for account_id, instrument_id, moment in fills:
        first[account_id, instrument_id] = min(
            moment, first.get((account_id, instrument_id), moment)
        )
    mark(first)


def mark_trades(trades: QuerySet) -> None:
    """The same for these trades, before they are deleted or after they were changed."""
    rows = trades.order_by().values_list("account_id", "instrument_id")
    mark({(account, pair): since for account, pair, since in rows.annotate(Min("executed_at"))})


def mark_trades_where(condition: str, parameters: list[object]) -> None:
    """The same for the trades that meet a condition in SQL, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO touched_pairs (account_id, instrument_id, since) "
            "SELECT account_id, instrument_id, min(executed_at) FROM trades "
            f"WHERE {condition} GROUP BY account_id, instrument_id",
            parameters,
        )


def tell_imports(marks: Iterable[TouchedPair], changed: int) -> None:
    """Add so many changed positions to each import that made one of these marks."""
    imports = TouchedPair.import_log.field.related_model.objects
    causes = {one.import_log_id for one in marks}
    before = Coalesce("positions_changed", 0)
    imports.filter(pk__in=causes).update(positions_changed=before + changed)


def touched_pairs(account_id: int | None = None) -> list[Pair]:
    """The pairs whose positions wait to be computed anew, all of them or those of an account."""
    pairs = TouchedPair.objects.order_by("account_id", "instrument_id")
    if account_id is not None:
        pairs = pairs.filter(account=account_id)
    return [Pair(*row) for row in pairs.values_list("account_id", "instrument_id").distinct()]
