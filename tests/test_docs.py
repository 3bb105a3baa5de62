"""The documents hold together: every link and picture is there, every option and format is told."""

import re
import struct
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import get_commands, load_command_class

from imports.formats import all_formats
from joblogs import registry
from joblogs.states import Status
from joblogs.tasks import answer
from trades.models import Account

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
IMAGES = sorted((DOCS / "images").iterdir())
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
LARGEST, LARGEST_IN_ALL = 150_000, 2_000_000  # bytes of pictures
# What every command of Django has.
OF_DJANGO = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"}
OF_DJANGO |= {"--no-color", "--force-color", "--skip-checks"}


def text_of(page: Path) -> str:
    """Without the code in it, whose brackets are no links."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchors(page: Path) -> set[str]:
    """How the headings of a page are linked to."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for _, _, target in LINK.findall(text_of(page)):
        place, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = (page.parent / place).resolve() if place else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            found.append(f"{page.name}: {target}")
    return found


def pictures() -> list[tuple[Path, str, Path]]:
    """Page, alternative text and file of each picture."""
    return [
        (page, words, (page.parent / target).resolve())
        for page in PAGES
        for mark, words, target in LINK.findall(text_of(page))
        if mark
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not broken(page)


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# A title, here\n[a](#a-title-here) [b](#b) [c](c.md) `[d](d.md)`\n")
    assert broken(page) == ["a.md: #b", "a.md: c.md"]


def test_every_picture_is_shown_and_told_in_words() -> None:
    shown = pictures()
    assert {path for _, _, path in shown} == set(IMAGES)
    assert [page.name for page, words, _ in shown if len(words) < 20] == []


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in IMAGES}
    assert [name for name, size in sizes.items() if size > LARGEST] == []
    assert sum(sizes.values()) < LARGEST_IN_ALL


def test_pictures_are_those_that_the_script_makes() -> None:
    script = (ROOT / "bin" / "_photographs.py").read_text(encoding="utf-8")
    assert {path.stem for path in IMAGES} == set(re.findall(r'Picture\("([\w-]+)"', script))
    for path in IMAGES:
        width, _ = struct.unpack(">II", path.read_bytes()[16:24])
        assert width == 1200


def test_the_index_leads_to_every_page() -> None:
    targets = {target for _, _, target in LINK.findall(text_of(DOCS / "README.md"))}
    others = {page.name for page in PAGES[1:]} - {"README.md"}
    assert others - {target.partition("#")[0] for target in targets} == set()


def test_every_option_of_every_command_is_told() -> None:
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    rooms = {path.parents[2].name for path in ROOT.glob("*/management/commands/*.py")}
    missing = []
    for name, room in get_commands().items():
        if room not in rooms:
            continue
        parser = load_command_class(room, name).create_parser("manage.py", name)
        options = {one for action in parser._actions for one in action.option_strings}
        missing += [
            f"{name} {option}"
            for option in sorted(options - OF_DJANGO)
            if option.startswith("--") and option not in told
        ]
    assert missing == []


def test_every_format_says_how_to_export() -> None:
    told = (DOCS / "importing.md").read_text(encoding="utf-8")
    missing = [one.title for one in all_formats().values() if one.name not in told]
    assert missing == []


def test_every_setting_stands_in_the_table() -> None:
    told = (DOCS / "settings.md").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=", example, re.M)
    assert [name for name in names if not re.search(rf"^\| `{name}` \|", told, re.M)] == []


# --- The examples for those who add something


def example_of(page: str) -> str:
    """The Python that stands there, all of it."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))


@pytest.mark.django_db(transaction=True)
def test_the_example_of_a_job_runs() -> None:
    Account.objects.create(name="Sim101")
    module = ModuleType("example")
    try:
        exec(compile(example_of("adding-a-job.md"), "adding-a-job.md", "exec"), module.__dict__)
        answer(module.log.pk)
    finally:
        registry.JOBS.pop(module.COUNT)
    module.log.refresh_from_db()
    assert (module.log.status, module.log.result) == (Status.SUCCESS, {"accounts": 1})
    assert [line.message for line in module.log.details.all()] == ["1 accounts."]


def test_the_example_of_a_format_is_one() -> None:
    module = ModuleType("example")
    exec(compile(example_of("adding-a-format.md"), "adding-a-format.md", "exec"), module.__dict__)
    header = [column.headings[0] for column in module.FORMAT.columns]
    assert header == [
        "Symbol",
        "B/S",
        "Size",
        "Fill Price",
        "Filled At",
        "Account",
        "Fill ID",
        "Fee",
    ]
