"""From what a user types to the files that are meant."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = {".csv", ".txt", ".tsv"}
# all.jsonl, all.jsonl.gz, and what a second one of that name is called in archive/
BACKUP = re.compile(r".+\.jsonl(?: \(\d+\))?(?:\.gz)?", re.IGNORECASE | re.DOTALL)


def files_meant(paths: Iterable[str]) -> Iterator[Path]:
    """Each file once, in order: a file itself, a folder's exports, or what a pattern matches.

    A path that matches nothing is passed on as it is; whoever opens it says so. Raises OSError for
    a folder that cannot be read.
    """
    seen: set[Path] = set()
    for text in paths:
        for path in expansion(text):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def is_named_backup(name: str) -> bool:
    return BACKUP.fullmatch(name) is not None


def expansion(text: str) -> list[Path]:
    path = Path(os.path.expanduser(text))
    if path.is_dir():
        return sorted(
            child
            for child in path.iterdir()
            if child.suffix.lower() in SUFFIXES and not child.name.startswith(".")
        )
    if path.exists():
        return [path]
    return [Path(found) for found in sorted(glob.glob(str(path), recursive=True))] or [path]
