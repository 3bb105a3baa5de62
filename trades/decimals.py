"""Money, prices and quantities: how they are kept, and how they are written down."""

from decimal import Context, Decimal

from django.db import models

# Sums and products of what the tables hold come out exactly in it.
EXACT = Context(prec=60)
STORED = Context(prec=15)  # significant digits, which SQLite keeps exactly
SMALLEST = Decimal("1e-10")


def plain(number: Decimal | None) -> str:
    """A number without the zeros that only fill up its column: 21350.5. '' for none."""
    return "" if number is None else f"{number.normalize():f}"


def storable(number: Decimal) -> Decimal:
    """The nearest number that every database gives back as it is: 15 digits, 10 decimals."""
    return STORED.plus(number).quantize(SMALLEST, context=EXACT)


class ExactDecimalField(models.DecimalField):
    """Money, prices and quantities: up to 10 decimals, 15 significant digits.

    SQLite keeps a decimal exactly up to 15 digits, so no database is given more
    (imports/columns.py refuses them with a reason).
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{"max_digits": 25, "decimal_places": 10} | kwargs)


class SumField(models.DecimalField):
    """What is computed from many of those: as exact, and with room for any sum or product."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{"max_digits": 60, "decimal_places": 10} | kwargs)
