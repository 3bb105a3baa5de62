"""Files as they lie there, compressed or not; and whether one of them is a backup."""

import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO

COMPRESSED = b"\x1f\x8b"
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)  # how a damaged compressed file shows
SNIFFED = 200  # bytes
is_first_line = re.compile(rb'\s*\{\s*"_metadata"\s*:').match


def opened(path: Path) -> BinaryIO:
    """To be read; what is compressed is unpacked on the way, never onto the disk."""
    with path.open("rb") as stream:
        start = stream.read(len(COMPRESSED))
    return gzip.open(path) if start == COMPRESSED else path.open("rb")


def is_backup(path: Path) -> bool:
    """Whether its first line says so."""
    try:
        with opened(path) as stream:
            return is_first_line(stream.read(SNIFFED)) is not None
    except BROKEN:
        return False
