"""The rules of the house, read off the source: the rooms, sizes, names and signatures of the code.

A guard takes a path and its source and returns one sentence per breach. GUARDS says which files
each guard reads, and gives it breaches that it must find: a guard that cannot fail guards nothing.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", "var", ".env", "__pycache__"}
NOT_OURS |= {".pytest_cache", ".hypothesis", ".ruff_cache"}

MAY_IMPORT = {
    "web": set(),
    "audit": {"web"},
    "joblogs": {"web", "audit"},
    "sources": set(),
    "trades": {"web", "audit"},
    "orders": {"web", "audit", "joblogs", "sources", "trades"},
    "imports": {"web", "audit", "joblogs", "sources", "trades", "orders"},
    "batches": {"web", "audit", "joblogs", "sources", "trades", "orders", "imports"},
    "tradelog": {"web", "audit", "joblogs", "sources", "trades", "orders", "imports", "batches"},
}
FOLDERS = {*MAY_IMPORT, "templates", "static", "bin", "docs", "deploy", "examples", "bench"}
FOLDERS |= {"tests", ".ci"}
FILES = {
    "manage.py",
    "pyproject.toml",
    "requirements.in",
    "requirements.txt",
    "requirements-dev.in",
    "requirements-dev.txt",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    ".gitignore",
    ".env.example",
}
SAYS_NOTHING = {"utils", "helpers", "common", "misc", "core"}
SAYS_NOTHING |= {"manager", "managers", "service", "services"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- The files


def our_files() -> list[PurePosixPath]:
    """Every file that is, or would be, committed; paths are relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or not a checkout
        return list(walk(ROOT))
    paths = [PurePosixPath(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]


def walk(folder: Path) -> Iterator[PurePosixPath]:
    for entry in folder.iterdir():
        if entry.name in NOT_OURS:
            continue
        if entry.is_dir():
            yield from walk(entry)
        else:
            yield PurePosixPath(entry.relative_to(ROOT).as_posix())


def is_any(path: PurePosixPath) -> bool:
    return True


def is_python(path: PurePosixPath) -> bool:
    return path.suffix == ".py" or path.parent == PurePosixPath("bin")


def is_written_by_hand(path: PurePosixPath) -> bool:
    return is_python(path) and "migrations" not in path.parts


def is_product(path: PurePosixPath) -> bool:
    return is_written_by_hand(path) and "tests" not in path.parts


# --- The guards


def unknown_at_the_top(path: PurePosixPath, source: str) -> list[str]:
    known = FILES if len(path.parts) == 1 else FOLDERS
    return [] if path.parts[0] in known else [f"{path}: {path.parts[0]} is new at the top level"]


def names_that_say_nothing(path: PurePosixPath, source: str) -> list[str]:
    names = {PurePosixPath(part).stem for part in path.parts}
    return [f"{path}: {name} says nothing" for name in sorted(names & SAYS_NOTHING)]


def upward_imports(path: PurePosixPath, source: str) -> list[str]:
    room = path.parts[0]
    if room not in MAY_IMPORT:
        return []
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[room] - {room}
    return [
        f"{path}:{node.lineno}: {room} may not import {name}"
        for node in ast.walk(ast.parse(source))
        for name in imported_tops(node, path)
        if name in forbidden
    ]


def imported_tops(node: ast.AST, path: PurePosixPath) -> list[str]:
    """The top level packages that an import statement names; none for any other node."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    folder = path.parts[: len(path.parts) - node.level] if node.level else ()
    module = node.module.split(".") if node.module else ()
    return [[*folder, *module, alias.name][0] for alias in node.names]


def long_files(path: PurePosixPath, source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"{path}: {lines} lines; is it one subject?"] if lines > LONGEST_FILE else []


def long_functions(path: PurePosixPath, source: str) -> list[str]:
    sizes = [(node, node.end_lineno - node.lineno + 1) for node in functions(source)]
    return [
        f"{path}:{node.lineno}: {node.name} has {size} lines; what are its parts?"
        for node, size in sizes
        if size > LONGEST_FUNCTION
    ]


def untyped_signatures(path: PurePosixPath, source: str) -> list[str]:
    return [
        f"{path}:{node.lineno}: {node.name} does not type {', '.join(untyped)}"
        for node in functions(source)
        if (untyped := untyped_parts(node))
    ]


def untyped_parts(node: Function) -> list[str]:
    signature = node.args
    arguments = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs]
    arguments += filter(None, [signature.vararg, signature.kwarg])
    untyped = [one.arg for one in arguments if one.annotation is None]
    untyped = [name for name in untyped if name not in ("self", "cls")]
    return untyped if node.returns else [*untyped, "what it returns"]


def imports_in_functions(path: PurePosixPath, source: str) -> list[str]:
    return [
        f"{path}:{node.lineno}: an import inside {function.name}; is it in the wrong room?"
        for function in functions(source)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def swallowed_errors(path: PurePosixPath, source: str) -> list[str]:
    handlers = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ExceptHandler)]
    bare = [f"{path}:{node.lineno}: a bare except" for node in handlers if node.type is None]
    silent = [f"{path}:{node.lineno}: errors vanish here" for node in handlers if is_silent(node)]
    return bare + silent


def is_silent(node: ast.ExceptHandler) -> bool:
    """Whether it catches everything and does nothing: pass, ... and strings do nothing."""
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    broad = {"Exception", "BaseException"} & {ast.unparse(one) for one in caught if one}
    idle = (isinstance(n, ast.Pass | ast.Continue) or is_constant(n) for n in node.body)
    return bool(broad) and all(idle)


def is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def put_off_work(path: PurePosixPath, source: str) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(source.splitlines(), 1)
        if re.search(r"\b(TOD[O]|FIXM[E])\b", line)
    ]


def functions(source: str) -> list[Function]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]


# --- What each guard reads, and what it must find


@dataclass(frozen=True)
class Guard:
    check: Callable[[PurePosixPath, str], list[str]]
    reads: Callable[[PurePosixPath], bool]
    breaches: list[tuple[str, str]]


GUARDS = [
    Guard(unknown_at_the_top, is_any, [("notes.txt", ""), ("scratch/a.py", ""), ("docs", "")]),
    Guard(names_that_say_nothing, is_python, [("web/utils.py", ""), ("web/core/a.py", "")]),
    Guard(
        upward_imports,
        is_product,
        [
            ("trades/models.py", "import imports.models"),
            ("trades/models.py", "from imports.models import ImportRowLog"),
            ("trades/management/commands/a.py", "from ....imports import models"),
            ("trades/models.py", "from .. import imports"),
            ("sources/files.py", "from web import pages"),
            ("web/pages.py", "if TYPE_CHECKING:\n    from tradelog import settings"),
        ],
    ),
    Guard(long_files, is_product, [("web/pages.py", "\n" * 301)]),
    Guard(
        long_functions, is_product, [("web/pages.py", "async def show():\n" + "    show\n" * 40)]
    ),
    Guard(
        untyped_signatures,
        is_product,
        [
            ("web/pages.py", "def show(page) -> None: ..."),
            ("web/pages.py", "def show(*pages) -> None: ..."),
            ("web/pages.py", "def show(*, page) -> None: ..."),
            ("web/pages.py", "class Page:\n    def show(self): ..."),
        ],
    ),
    Guard(
        imports_in_functions, is_written_by_hand, [("web/pages.py", "def show():\n    import ast")]
    ),
    Guard(
        swallowed_errors,
        is_python,
        [
            ("web/pages.py", "try: show()\nexcept: raise"),
            ("web/pages.py", "try: show()\nexcept Exception: pass"),
            ("web/pages.py", "try: show()\nexcept (KeyError, BaseException): 'never mind'"),
        ],
    ),
    Guard(
        put_off_work, is_python, [("web/pages.py", "# TO" + "DO: show"), ("a.py", "# FIX" + "ME")]
    ),
]
BREACHES = [(guard, path, source) for guard in GUARDS for path, source in guard.breaches]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.check.__name__)
def test_the_house_is_in_order(guard: Guard) -> None:
    paths = [path for path in our_files() if guard.reads(path)]
    found = [line for path in paths for line in guard.check(path, source_of(path))]
    assert not found, "\n".join(["", *found])


def source_of(path: PurePosixPath) -> str:
    return (ROOT / path).read_text(encoding="utf-8") if is_python(path) else ""


@pytest.mark.parametrize(("guard", "path", "source"), BREACHES)
def test_a_guard_finds_what_it_is_for(guard: Guard, path: str, source: str) -> None:
    assert guard.reads(PurePosixPath(path))
    assert guard.check(PurePosixPath(path), source)


def test_guards_see_the_house() -> None:
    assert {PurePosixPath("manage.py"), PurePosixPath("tests/test_house.py")} <= {*our_files()}


def test_the_house_is_the_same_without_git() -> None:
    assert {*our_files()} <= {*walk(ROOT)}
