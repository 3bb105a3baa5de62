"""What the documents must mention: every command and every setting; and .env.example no others.

Each guard returns one sentence per breach, and is given a breach that it must find.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "tradelog" / "settings.py"
# It says where .env is, so it cannot stand in it.
NOT_IN_ENV_FILE = {"TRADELOG_ENV_FILE"}


def documents() -> str:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def env_example() -> str:
    path = ROOT / ".env.example"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def commands() -> list[str]:
    paths = ROOT.glob("*/management/commands/*.py")
    return sorted(path.stem for path in paths if not path.stem.startswith("_"))


def names_read(settings: str) -> set[str]:
    """The variables that the source asks `env` for: env("X"), env.bool("X", …)."""
    calls = [node for node in ast.walk(ast.parse(settings)) if isinstance(node, ast.Call)]
    firsts = [call.args[0] for call in calls if call.args and is_env(call.func)]
    return {one.value for one in firsts if isinstance(one, ast.Constant)}


def is_env(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        called = called.value
    return isinstance(called, ast.Name) and called.id == "env"


def names_offered(example: str) -> set[str]:
    """The variables of an .env file, set or commented out."""
    return set(re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


# --- The guards


def undocumented_commands(names: list[str], text: str) -> list[str]:
    return [
        f"manage.py {name} is in no document"
        for name in names
        if not re.search(rf"manage\.py {re.escape(name)}\b", text)
    ]


def undocumented_settings(settings: str, text: str) -> list[str]:
    return [
        f"{name} is in no document"
        for name in sorted(names_read(settings))
        if not re.search(rf"\b{name}\b", text)
    ]


def settings_not_offered(settings: str, example: str) -> list[str]:
    missing = names_read(settings) - names_offered(example) - NOT_IN_ENV_FILE
    return [f"{name} is not in .env.example" for name in sorted(missing)]


def settings_never_read(settings: str, example: str) -> list[str]:
    unread = names_offered(example) - names_read(settings)
    return [f"{name} is in .env.example, but settings.py does not read it" for name in unread]


# --- The tests


def test_every_command_is_documented() -> None:
    found = undocumented_commands(commands(), documents())
    assert not found, "\n".join(found)


def test_every_setting_is_documented() -> None:
    found = undocumented_settings(SETTINGS.read_text(encoding="utf-8"), documents())
    assert not found, "\n".join(found)


def test_every_setting_is_in_the_example() -> None:
    found = settings_not_offered(SETTINGS.read_text(encoding="utf-8"), env_example())
    assert not found, "\n".join(found)


def test_the_example_offers_nothing_else() -> None:
    found = settings_never_read(SETTINGS.read_text(encoding="utf-8"), env_example())
    assert not found, "\n".join(found)


def test_a_command_counts_by_its_whole_name() -> None:
    assert undocumented_commands(["import"], "`manage.py import_csv`")
    assert undocumented_commands(["import"], "the command import")


def test_a_setting_counts_by_its_whole_name() -> None:
    assert undocumented_settings('env.bool("DEBUG", default=False)', "DEBUG_LEVEL and debug")


def test_settings_are_found_however_they_are_read() -> None:
    read = 'env("A"); env.str("B", default=""); {"default": env.db("C")}; env.read_env(path)'
    assert names_read(read) == {"A", "B", "C"}


def test_an_example_that_lacks_a_setting_is_found() -> None:
    assert settings_not_offered('env.bool("DEBUG")', "# DEBUG is off unless it is set\n")


def test_an_example_that_offers_too_much_is_found() -> None:
    assert settings_never_read('env.bool("DEBUG")', "DEBUG=\n# COLOUR=red\n")


# --- The codes of the problems


def codes_given(source: str) -> set[str]:
    """The codes that a module gives to problems: CellError("code", …), Quantity("code")…"""
    givers = {"CellError", "parsing_problem", "Number", "Quantity", "Name", "refuse", "Problem"}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [
        call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in givers
    ]
    words = [word.value for call in named for word in call.args if isinstance(word, ast.Constant)]
    return {
        word for word in words if isinstance(word, str) and re.fullmatch("[a-z]+(_[a-z]+)+", word)
    }


def test_a_code_is_found() -> None:
    assert codes_given('raise CellError("invalid_moon", "no moon")') == {"invalid_moon"}


def test_every_code_is_explained() -> None:
    sources = [*(ROOT / "imports").glob("*.py"), *(ROOT / "imports" / "formats").glob("*.py")]
    given = set().union(*(codes_given(path.read_text(encoding="utf-8")) for path in sources))
    explained = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "importing.md").read_text()))
    assert given - explained <= {"executed_at"}
    assert {"conflict", "duplicate", "row_too_short", "nonexistent_local_time"} <= explained


# --- The codes of the API's errors


def error_codes(source: str) -> set[str]:
    """The codes with which a module has the API refuse: ApiError(409, "CODE", …)…"""
    givers = {"ApiError", "error_body", "answer"}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [call for call in calls if getattr(call.func, "id", "") in givers]
    words = [word.value for call in named for word in call.args if isinstance(word, ast.Constant)]
    return {word for word in words if isinstance(word, str) and re.fullmatch("[A-Z_]+", word)}


def test_an_error_code_is_found() -> None:
    source = 'raise ApiError(404, "MOON_NOT_FOUND", "There is no moon.")'
    assert error_codes(source) == {"MOON_NOT_FOUND"}


def test_every_error_code_is_in_the_table() -> None:
    rooms = ("web", "joblogs", "trades", "orders", "imports", "batches", "tradelog")
    sources = [path for room in rooms for path in (ROOT / room).glob("*.py")]
    given = set().union(*(error_codes(path.read_text(encoding="utf-8")) for path in sources))
    table = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## Errors")[1]
    assert given - set(re.findall(r"`([A-Z_]+)`", table)) == set()
    assert {"SECOND_FACTOR_REQUIRED", "UNAVAILABLE", "ROWS_DELETED"} <= given
