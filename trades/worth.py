"""What a point of an instrument is worth, and in which currency: positions follow a change."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from audit.models import Deed
from audit.writing import write_down
from trades.models import Account, Instrument, Position
from trades.positions import recompute_for_a_while
from trades.symbols import FUTURES
from trades.touched import Pair, mark_wholly

PATIENCE = 3  # seconds that a user waits at a door; the rest is a worker's


def set_point_value(
    instrument: Instrument,
    value: Decimal | None,
    user: AbstractBaseUser | None,
    *,
    currency: str = "",
    with_others: bool = False,
) -> None:
    """Say what 1.00 of the price is worth, per contract or share; None: unknown.

    `currency`: of an instrument that has none yet. With others, those that are like it and whose
    point value is unknown get the same; contracts of one root also the currency. Their positions
    follow. Raises ValidationError unless it is above 0.
    """
    if value is not None:
        value = Instrument._meta.get_field("point_value").clean(value, instrument)
        require_positive(value)
    with transaction.atomic():
        changed = [instrument, *(others_like(instrument) if with_others and value else [])]
        for one in changed:
            if one == instrument or one.kind == Instrument.Kind.FUTURE:
                one.currency = one.currency or currency or instrument.currency
            one.point_value = value
            one.save(update_fields=["point_value", "currency"])
            if user:
                write_down(Deed.CHANGE, one, user=user, words=f"point value {value}")
        follow_all(Position.objects.filter(instrument__in=changed))


def others_like(instrument: Instrument) -> QuerySet[Instrument]:
    """Those of its kind whose point value is unknown; of a future, as each product has its own, the
    other contracts of its root."""
    like = Instrument.objects.filter(kind=instrument.kind, point_value=None)
    if instrument.kind == Instrument.Kind.FUTURE:
        like = like.filter(root=instrument.root)
    return like.exclude(pk=instrument.pk)


def source_of(instrument: Instrument) -> str:
    """Where its point value comes from, in words."""
    future = FUTURES.get(instrument.root) if instrument.kind == Instrument.Kind.FUTURE else None
    if future is None or future.point_value != instrument.point_value:
        return "set by hand"
    tables = "1 source" if future.sources == 1 else f"{future.sources} sources"
    return f"from the table of futures: {future.name}, {future.exchange}; {tables}"


def require_positive(value: Decimal) -> None:
    if value <= 0:
        raise ValidationError(f"A point is worth more than 0, not {value}.")


def follow(changed: Account | Instrument) -> None:
    """Have the positions of an account or instrument follow a change of it.

    To be called in the transaction of the change; it happens after that.
    """
    follow_all(Position.objects.filter(**{changed._meta.model_name: changed}))


def follow_all(positions: QuerySet[Position]) -> None:
    """The same for all positions of the accounts and instruments of these."""
    pairs = positions.order_by().values_list("account_id", "instrument_id").distinct()
    mark_wholly(pairs_of(pairs))
    recompute_after_commit()


def recompute_after_commit() -> None:
    """At a door, once its transaction is committed."""
    transaction.on_commit(partial(recompute_for_a_while, PATIENCE))


def pairs_of(rows: Iterable[tuple[int, int]]) -> list[Pair]:
    return [Pair(*row) for row in rows]
