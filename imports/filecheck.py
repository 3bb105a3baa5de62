"""The stored files beside the imports: missing, changed, unknown, or left half-written.

A file gets its name before its import is saved, so one of today may still be waiting for that; and
one that is wanted again is stored anew, which makes it young.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min

from imports.models import ImportExecutionLog
from imports.storing import BLOCK, path_of
from joblogs.findings import Check, Finding, Step, counted

AT_ONCE = 200  # files
READ_AT_ONCE = 256 << 20  # bytes
OLD = 24 * 60 * 60  # seconds
MISSING = "is missing"
DRAFTS = ("incoming-", "corrected-")


# --- Those that are wanted


def look_at_wanted(behind: str | None, mend: bool) -> Step:
    """By hash. A step ends when it has read a few hundred megabytes."""
    wanted = ImportExecutionLog.objects.filter(file_hash__gt=behind or "").order_by("file_hash")
    rows = wanted.values("file_hash").annotate(
        size=Max("file_size"),
        first=Min("pk"),
        number=Count("pk"),
        restored=Count("restored_by"),
    )
    findings, last, read = [], None, 0
    for row in rows[:AT_ONCE]:
        last = row["file_hash"]
        problem = problem_of(last, row["size"])
        # A backup brings imports back, not their files.
        if problem and not (problem == MISSING and row["restored"] == row["number"]):
            findings.append(finding_of(problem, row))
        read += row["size"]
        if read > READ_AT_ONCE:
            break
    return Step(findings, last)


def problem_of(file_hash: str, size: int) -> str:
    """What is wrong with the bytes that should be stored under a hash; '' if nothing."""
    path = path_of(file_hash)
    try:
        there = path.stat().st_size
        if there != size:
            return f"has {there:,} bytes in place of {size:,}"
        with path.open("rb") as file:
            return "" if digest_of(file) == file_hash else "holds other bytes than were received"
    except FileNotFoundError:
        return MISSING
    except OSError as problem:
        return f"cannot be read ({problem.strerror})"


def digest_of(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def finding_of(problem: str, row: dict[str, Any]) -> Finding:
    log = ImportExecutionLog.objects.filter(pk=row["first"]).first()
    name = log.file_name if log else row["file_hash"]
    others = f" and {counted(row['number'] - 1, 'other')}" if row["number"] > 1 else ""
    words = f"the stored file of import {row['first']} ({name}){others} {problem}"
    return Finding(words, "restore it from a backup of the data folder, or import it once more")


# --- Those that are there


def look_at_folders(behind: str | None, mend: bool) -> Step:
    """One folder of the store in a step: its drafts lie at the top."""
    folders = sorted(["", *(entry.name for entry in folders_of_store())])
    left = [name for name in folders if behind is None or name > behind]
    if not left:
        return Step()
    return Step(list(findings_in(left[0], mend)), left[0])


def folders_of_store() -> list[os.DirEntry]:
    if not settings.FILES_DIR.is_dir():
        return []
    with os.scandir(settings.FILES_DIR) as entries:
        return [one for one in entries if one.is_dir() and not one.name.startswith(DRAFTS)]


def findings_in(folder: str, mend: bool) -> Iterator[Finding]:
    if not settings.FILES_DIR.is_dir():
        return
    there = list((settings.FILES_DIR / folder).iterdir())
    there = [path for path in there if path.is_file() or path.name.startswith(DRAFTS)]
    drafts = [path for path in there if path.name.startswith(DRAFTS)]
    names = {path.name for path in there} - {path.name for path in drafts}
    known = ImportExecutionLog.objects.filter(file_hash__in=names)
    names -= set(known.values_list("file_hash", flat=True))
    unknown = [path for path in there if path.name in names and is_old(path)]
    yield from about("left half-written", [one for one in drafts if is_old(one)], delete, mend)
    yield from about("of no import", unknown, set_aside, mend)


def is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - OLD
    except FileNotFoundError:
        return False


def about(what: str, paths: list[Path], deed: Any, mend: bool) -> Iterator[Finding]:
    if not paths:
        return
    words = f"{counted(len(paths), 'stored file')} {what} ({paths[0].name[:20]}…)"
    if not mend:
        yield Finding(words, f"--fix {deed.__doc__}", is_remark=True)
        return
    done = sum(map(deed, paths))
    yield Finding(words, f"{done:,} of them: {deed.__doc__}", is_mended=True, is_remark=True)


def delete(path: Path) -> bool:
    """deletes what is older than a day"""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not path.exists()


def set_aside(path: Path) -> bool:
    """moves what is older than a day into the folder `unclaimed` beside the store"""
    aside = settings.FILES_DIR.parent / "unclaimed" / path.name
    aside.parent.mkdir(exist_ok=True)
    os.replace(path, aside)
    if is_old(aside) and not ImportExecutionLog.objects.filter(file_hash=path.name).exists():
        return True
    os.replace(aside, path)  # stored anew in this moment: somebody wants it after all
    return False


CHECKS = [Check("wanted files", look_at_wanted), Check("stored files", look_at_folders)]
