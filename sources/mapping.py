"""Which column of a source feeds which field, as a setting says it.

`order_id=OrderID,quantity=Qty:number`: our field, the source's column, and its kind where that is
not the usual one. A column with a comma in its name stands in quotation marks with its field:
`"quantity=Qty, total"`.
"""

import csv
from dataclasses import replace

from sources.rows import SourceError
from sources.source import KINDS, Column

# What else a field may be read as; a text takes anything.
SUITED = {"text": KINDS, "number": ("number", "whole"), "moment": ("moment",)}
SUITED["whole"] = SUITED["number"]


def columns_of(mapping: str, fields: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that the mapping names; all fields under our own names if it is empty.

    Raises SourceError for what is no mapping, and where a field that must be there is missing.
    """
    if not mapping.strip():
        return fields
    known = {column.field: column for column in fields}
    parts = next(csv.reader([mapping], skipinitialspace=True))
    columns = [column_of(part, known) for part in parts if part.strip()]
    mapped = [column.field for column in columns]
    for field in known:
        if mapped.count(field) > 1:
            raise SourceError(f"The mapping names {field} twice.")
        if known[field].required and field not in mapped:
            raise SourceError(f"The mapping lacks {field}, which must be there.")
    return tuple(columns)


def column_of(part: str, known: dict[str, Column]) -> Column:
    field, mark, name = (word.strip() for word in part.partition("="))
    if not mark or not name:
        raise SourceError(f"The mapping has '{part}'; expected field=column or field=column:kind.")
    if field not in known:
        raise SourceError(f"The mapping names '{field}', which is none of {', '.join(known)}.")
    name, mark, kind = (word.strip() for word in name.rpartition(":"))
    if not mark:
        return replace(known[field], column=kind)
    if kind not in KINDS:
        raise SourceError(f"The mapping has the kind '{kind}'; expected one of {', '.join(KINDS)}.")
    suited = SUITED[known[field].kind]
    if kind not in suited:
        expected = " or ".join(suited)
        raise SourceError(f"The mapping has {field} as {kind}; expected {expected}.")
    return replace(known[field], column=name, kind=kind)
