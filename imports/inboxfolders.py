"""The folders of the inbox and the moves between them: each atomic, none over another file."""

import errno
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from django.conf import settings

from imports.paths import SUFFIXES, is_named_backup
from joblogs.interrupts import heeding_ctrl_c

CLAIMED = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})--(.+)", re.DOTALL)
LONGEST_NAME = 255 - len(f"{uuid.UUID(int=0)}--")  # bytes; what fits behind a batch id
NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
# Neither through a link nor waiting for a writer, whatever has taken the file's place meanwhile.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class InboxUnusable(Exception):
    """The inbox cannot be used at all; the sentence says which folder and why."""


@dataclass(frozen=True)
class Look:
    """What a file looked like. If two looks are equal, nobody writes it or puts others there."""

    size: int
    mtime_ns: int
    inode: int

    @property
    def changed_at(self) -> datetime:
        return datetime.fromtimestamp(self.mtime_ns / 1e9, UTC)


@dataclass(frozen=True)
class Claimed:
    """A file in processing/. Its name there begins with the batch id of its import."""

    path: Path
    batch_id: uuid.UUID
    name: str


class Folders:
    """inbox/, processing/, archive/ and error/. Raises InboxUnusable if one cannot be used."""

    def __init__(self) -> None:
        root = settings.TRADELOG_INBOX_DIR
        self.inbox = root / "inbox"
        self.processing = root / "processing"
        self.archive = root / "archive"
        self.error = root / "error"
        for folder in (self.inbox, self.processing, self.archive, self.error):
            names_in(folder)

    def waiting(self) -> tuple[dict[str, Look], list[str]]:
        """The exports and backups in the inbox, and the names of what is left alone there."""
        exports, others = {}, []
        for name in names_in(self.inbox):
            look = look_at(self.inbox / name) if is_export(name) else None
            if look:
                exports[name] = look
            elif not name.startswith("."):
                others.append(name)
        return exports, others

    def claim(self, name: str) -> Claimed:
        """Take a file out of the inbox; FileNotFoundError if somebody else was faster."""
        batch_id = uuid.uuid4()
        name_there = os.fsdecode(os.fsencode(name)[-LONGEST_NAME:])
        path = self.processing / f"{batch_id}--{name_there}"
        os.rename(self.inbox / name, path)
        return Claimed(path, batch_id, name_there)

    def claimed(self) -> tuple[list[Claimed], list[str]]:
        """The files in processing/, and the names of what does not belong there."""
        files, others = [], []
        for entry in names_in(self.processing):
            path = self.processing / entry
            match = CLAIMED.fullmatch(entry)
            if match and look_at(path):
                files.append(Claimed(path, uuid.UUID(match[1]), match[2]))
            elif not entry.startswith("."):
                others.append(entry)
        return files, others

    def put_back(self, file: Claimed) -> None:
        move(file, self.inbox)

    @contextmanager
    def putting_back(self, file: Claimed) -> Iterator[None]:
        """Who stops an import by Ctrl-C finds its file in the inbox, for the next time."""
        try:
            with heeding_ctrl_c():
                yield
        except KeyboardInterrupt:
            with suppress(FileNotFoundError):  # another scan may have archived it meanwhile
                self.put_back(file)
            raise


def has_work() -> bool:
    """Whether a scan would find a file to take. What cannot be used, a scan has to say."""
    try:
        folders = Folders()
        return bool(folders.waiting()[0] or folders.claimed()[0])
    except InboxUnusable:
        return True


def names_in(folder: Path) -> list[str]:
    """What is in a folder, which is made when missing. Raises InboxUnusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return sorted(os.listdir(folder))
    except OSError as problem:
        raise InboxUnusable(
            f"{folder} cannot be used as a folder of the inbox: {problem.strerror} "
            "(TRADELOG_INBOX_DIR)."
        ) from problem


def is_export(name: str) -> bool:
    """By its name: no hidden file, none that a program is still busy with."""
    is_known = Path(name).suffix.lower() in SUFFIXES or is_named_backup(name)
    return is_known and not name.startswith((".", "~"))


def look_at(path: Path) -> Look | None:
    """None if it is no regular file, no longer there, or hidden from us."""
    try:
        seen = os.lstat(path)
    except OSError:
        return None
    return Look(seen.st_size, seen.st_mtime_ns, seen.st_ino) if S_ISREG(seen.st_mode) else None


def open_file(path: Path) -> BinaryIO:
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | CAREFULLY))


def move(file: Claimed, folder: Path) -> Path:
    """Move a file to a name that is free there. FileNotFoundError if somebody else was faster."""
    folder.mkdir(exist_ok=True)
    return next(path for path in names_for(file.name, folder) if placed(file.path, path))


def names_for(name: str, folder: Path) -> Iterator[Path]:
    """fills.csv, fills (2).csv, fills (3).csv…"""
    yield folder / name
    stem, suffix = os.path.splitext(name)
    yield from (folder / f"{stem} ({number}){suffix}" for number in count(2))


def placed(source: Path, target: Path) -> bool:
    """Whether the file is now at `target`, where nothing was before.

    A link is made or not made in one step, and who dies behind it is found out here by the next.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        if not is_same_file(source, target):
            return False
    except OSError as problem:
        if problem.errno not in NO_LINKS:
            raise
        return placed_without_link(source, target)
    source.unlink(missing_ok=True)
    return True


def is_same_file(one: Path, other: Path) -> bool:
    return os.path.samestat(os.lstat(one), os.lstat(other))


def placed_without_link(source: Path, target: Path) -> bool:
    """Keep the name with an empty file of ours, then put the real one over it."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    try:
        os.replace(source, target)
    except OSError:
        target.unlink()
        raise
    return True
