"""The formats that tradelog reads. A module in this folder that declares FORMAT is one of them."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

from imports.columns import Reader
from imports.dialect import Dialect


@dataclass(frozen=True)
class Column:
    """Which headings feed a field of an execution, the first that the file has, and how."""

    field: str
    headings: tuple[str, ...]
    read: Reader
    required: bool = False


@dataclass(frozen=True)
class Format:
    """One export of one platform. `name` is stored with every import and never changes.

    Without a `dialect` of its own, each file is asked how it writes numbers and dates.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    dialect: Dialect | None = None

    @property
    def required_count(self) -> int:
        return sum(column.required for column in self.columns)

    @property
    def expected_header(self) -> str:
        """The headings that must be there, as a message names them."""
        return ", ".join(column.headings[0] for column in self.columns if column.required)

    def missing(self, header: list[str], has_account: bool) -> list[str]:
        """The headings that a header would need to be of this format."""
        present = {normal(name) for name in header}
        return [
            " or ".join(column.headings)
            for column in self.columns
            if column.required
            and not (column.field == "account" and has_account)
            and not any(normal(heading) in present for heading in column.headings)
        ]


def normal(heading: str) -> str:
    """A heading as it is compared: without byte order mark, case and surplus blanks."""
    return " ".join(heading.replace("\ufeff", "").lower().split())


@cache
def all_formats() -> dict[str, Format]:
    """Every format in this folder by its name."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    return {module.FORMAT.name: module.FORMAT for module in modules}
