"""The sources that this installation reads, as the settings describe them."""

from pathlib import Path

from django.conf import settings

from sources.files import file_problem
from sources.mapping import columns_of
from sources.ondemand import drivers
from sources.source import Column, Source

OPEN_ORDER_COLUMNS = (
    Column("order_id", "order_id", required=True),
    Column("account", "account", required=True),
    Column("instrument", "instrument", required=True),
    Column("side", "side", required=True),
    Column("type", "type"),
    Column("time_in_force", "time_in_force"),
    Column("quantity", "quantity", "number", required=True),
    Column("filled", "filled", "number"),
    Column("remaining", "remaining", "number"),
    Column("limit_price", "limit_price", "number"),
    Column("stop_price", "stop_price", "number"),
    Column("state", "state"),
    Column("submitted_at", "submitted_at", "moment"),
    Column("updated_at", "updated_at", "moment"),
)
EXECUTION_COLUMNS = (
    Column("execution_id", "execution_id"),
    Column("account", "account", required=True),
    Column("instrument", "instrument", required=True),
    Column("side", "side", required=True),
    Column("quantity", "quantity", "number", required=True),
    Column("price", "price", "number", required=True),
    Column("commission", "commission", "number"),
    Column("executed_at", "executed_at", "moment", required=True),
    Column("order_id", "order_id"),
    Column("name", "name"),
    Column("entry_exit", "entry_exit"),
)
FIELDS = {"OPEN_ORDERS": OPEN_ORDER_COLUMNS, "EXECUTIONS": EXECUTION_COLUMNS}


def open_orders() -> Source:
    """The working orders of the desk. Raises SourceError if the mapping is broken."""
    return configured("OPEN_ORDERS")


def executions() -> Source | None:
    """The fills of the desk, for a range of days; None if TRADELOG_EXECUTIONS_URL is empty."""
    return configured("EXECUTIONS") if settings.TRADELOG_SOURCES["EXECUTIONS"]["URL"] else None


def configured(name: str) -> Source:
    """The source that TRADELOG_{name}_… describes."""
    wishes = settings.TRADELOG_SOURCES[name]
    return Source(
        name=name.lower().replace("_", " "),
        location=located(wishes["URL"]),
        query=wishes["QUERY"],
        columns=columns_configured(name),
        timezone=wishes["TIMEZONE"],
    )


def columns_configured(name: str) -> tuple[Column, ...]:
    """The columns that TRADELOG_{name}_COLUMNS names. Raises SourceError."""
    return columns_of(settings.TRADELOG_SOURCES[name]["COLUMNS"], FIELDS[name])


def address_problem(name: str) -> str:
    """Why nothing can be read there, without looking; "" if all is well or nothing is wanted.

    Never shows the address itself, which may hold a password.
    """
    wishes = settings.TRADELOG_SOURCES[name]
    location = located(wishes["URL"])
    if not wishes["URL"]:
        return ""
    if "://" not in location:
        return file_problem(Path(location))
    if not wishes["QUERY"].strip():
        return f"names a database, but TRADELOG_{name}_QUERY is empty"
    return drivers().driver_problem(location)


def located(location: str) -> str:
    """The address, with a path that is counted from the project's folder in full."""
    scheme, mark, path = location.partition(":///")
    if not mark:
        return location if "://" in location else str(settings.BASE_DIR / location)
    if not scheme.startswith("sqlite") or not path or path.startswith(("/", ":", "file:")):
        return location
    return f"{scheme}:///{Path(settings.BASE_DIR, path)}"
