"""What a point of an instrument is worth, and in which currency: positions follow a change."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction

from trades.models import Account, Instrument, Position
from trades.positions import recompute_for_a_while
from trades.touched import Pair, mark_wholly

PATIENCE = 3  # seconds that a user waits at a door; the rest is a worker's


def set_point_value(
    instrument: Instrument, value: Decimal | None, user: AbstractBaseUser | None
) -> None:
    """Say what 1.00 of the price is worth, per contract or share; None: unknown.

    The positions of the instrument follow. Raises ValidationError unless it is above 0.
    """
    if value is not None:
        value = Instrument._meta.get_field("point_value").clean(value, instrument)
        require_positive(value)
    with transaction.atomic():
        instrument.point_value = value
        instrument.save(update_fields=["point_value"])
        follow(instrument)
        if user:
            write_down(instrument, user)


def require_positive(value: Decimal) -> None:
    if value <= 0:
        raise ValidationError(f"A point is worth more than 0, not {value}.")


def follow(changed: Account | Instrument) -> None:
    """Have the positions of an account or instrument follow a change of it.

    To be called in the transaction of the change; it happens after that.
    """
    name = changed._meta.model_name
    positions = Position.objects.filter(**{name: changed}).order_by()
    mark_wholly(pairs_of(positions.values_list("account_id", "instrument_id").distinct()))
    recompute_after_commit()


def recompute_after_commit() -> None:
    """At a door, once its transaction is committed."""
    transaction.on_commit(partial(recompute_for_a_while, PATIENCE))


def pairs_of(rows: Iterable[tuple[int, int]]) -> list[Pair]:
    return [Pair(*row) for row in rows]


def write_down(instrument: Instrument, user: AbstractBaseUser) -> None:
    """Who did it, for the history of the admin."""
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Instrument),
        object_id=instrument.pk,
        object_repr=str(instrument),
        action_flag=CHANGE,
        change_message="Point value changed",
    )
