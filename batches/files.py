"""A file that becomes a batch: JSON, as its name says, else lines of CSV."""

from pathlib import Path
from typing import Any, Unpack

from batches.mapping import StagingError
from batches.models import Batch
from batches.reading import Source, name_of
from batches.staging import Preview, Wished, preview_csv, preview_json, stage_csv, stage_json
from imports.apibackup import MOST_JSON
from web.jsontext import strict_json


def is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def stage_file(
    source: Source, *, file_name: str = "", own_names: bool = True, **wished: Unpack[Wished]
) -> Batch:
    """A new batch of the lines, or of the objects, of a file. Raises StagingError, OSError."""
    name = name_of(source, file_name)
    if not is_json(name):
        return stage_csv(source, file_name=name, **wished)
    return stage_json(objects_in(source, name), file_name=name, own_names=own_names, **wished)


def preview_file(
    source: Source, *, file_name: str = "", own_names: bool = True, **wished: Unpack[Wished]
) -> Preview:
    """What `stage_file` would make of it; nothing is written. Raises StagingError, OSError."""
    name = name_of(source, file_name)
    if not is_json(name):
        return preview_csv(source, file_name=name, **wished)
    return preview_json(objects_in(source, name), file_name=name, own_names=own_names, **wished)


def objects_in(source: Source, name: str) -> list[Any]:
    """What the list of a JSON file holds. Raises StagingError, OSError."""
    given = bytes_of(source, (MOST_JSON << 20) + 1, name)
    try:
        found = strict_json(given)
    except ValueError as problem:
        raise StagingError(f"{name} is no JSON: {problem}.") from None
    if not isinstance(found, list):
        raise StagingError(f"{name} holds no list; expected a list of objects.")
    return found


def bytes_of(source: Source, most: int, name: str) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            given = file.read(most)
    else:
        given = source if isinstance(source, bytes) else source.read(most)
    if len(given) >= most:
        raise StagingError(f"{name} has more than {MOST_JSON} MB of JSON; give a CSV file.")
    return given
