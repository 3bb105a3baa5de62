"""Which column feeds which field of an instruction: as a user says, else as the headings mean."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice

from batches.fields import FIELDS, labelled
from imports.body import data_records
from imports.dialect import Dialect
from imports.formats import Format, normal
from imports.identify import HEAD, Layout, possible_layouts
from imports.lines import decide_dialect
from imports.problems import shown
from imports.records import Record
from imports.textfile import TextFile

MOST_HEADINGS_SHOWN = 30
NO_HEADER = 4  # a line that lacks so many columns is none
MOST_WITNESSES = 10_000  # lines that are asked how the file writes numbers and dates


class StagingError(ValueError):
    """Nothing was staged. The text is one sentence: what was found and what was expected."""


def require_storable(name: str, text: str) -> None:
    """Raises StagingError for a text that no database can have."""
    if "\0" in text or text != text.encode(errors="replace").decode():
        raise StagingError(f"{name}: {ascii(text[:60])} has a character that is none.")


@dataclass(frozen=True)
class Columns:
    """By field: the heading it is read from, and what stands for an empty cell.

    A field whose heading is '' is not read from the file, whatever its headings mean. With
    `own_names`, as in JSON, each field may also be called as it is called here.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    own_names: bool = False

    def __post_init__(self) -> None:
        for said in (self.chosen, self.defaults):
            for name, text in said.items():
                if name not in FIELDS:
                    known = ", ".join(FIELDS)
                    raise StagingError(f"There is no field {shown(name)}; there are: {known}.")
                if not isinstance(text, str):
                    raise StagingError(f"{name}: {shown(str(text))} is no text.")
                require_storable(name, text)

    def wanted(self, name: str) -> tuple[str, ...]:
        """The headings that a field is read from, the first that is there; none: no heading."""
        if name not in self.chosen:
            return FIELDS[name].headings
        own = (name,) if self.own_names else ()
        return tuple(filter(None, (self.chosen[name], *own)))

    @property
    def format(self) -> Format:
        """As the readers of files know it: what has a default may be missing."""
        columns = (
            FIELDS[name].column(*headings) for name in FIELDS if (headings := self.wanted(name))
        )
        wanted = tuple(
            replace(column, required=column.required and not self.defaults.get(column.field))
            for column in columns
        )
        return Format("batch", "the trades of a batch", wanted)

    def headings(self, header: Sequence[str]) -> dict[str, str]:
        """By field, the heading of this header that feeds it; a chosen one feeds no other field."""
        there = {normal(heading): heading for heading in reversed(header) if heading}
        taken = {normal(heading) for heading in self.chosen.values()}
        found = {}
        for name in FIELDS:
            mine = map(normal, self.wanted(name))
            if name not in self.chosen:
                mine = (heading for heading in mine if heading not in taken)
            if heading := next((there[heading] for heading in mine if heading in there), ""):
                found[name] = heading
        return found

    def missing(self, found: Mapping[str, str]) -> list[str]:
        """The fields that nothing feeds, although they are needed or were chosen."""
        return [
            name
            for name in FIELDS
            if name not in found
            and (self.chosen.get(name) or (FIELDS[name].required and not self.defaults.get(name)))
        ]


def layout_of(file: TextFile, columns: Columns) -> Layout:
    """Where the columns of a file are. Raises StagingError: which is missing, and what there is."""
    layouts = list(possible_layouts(file, [columns.format]))
    lacking = [columns.missing(columns.headings(layout.header)) for layout in layouts]
    least = min(map(len, lacking), default=0)
    if not layouts or (least >= NO_HEADER and not columns.chosen):
        raise StagingError(why_no_header(file))
    nearest = next(place for place, fields in enumerate(lacking) if len(fields) == least)
    if least:
        raise StagingError(why_missing(file, layouts[nearest], lacking[nearest], columns))
    found = columns.headings(layouts[nearest].header)
    exactly = Columns(dict.fromkeys(FIELDS, "") | found, columns.defaults)
    return replace(layouts[nearest], format=exactly.format)


def why_missing(file: TextFile, layout: Layout, fields: list[str], columns: Columns) -> str:
    there = ", ".join(filter(None, layout.header[:MOST_HEADINGS_SHOWN]))
    chosen = [f"'{heading}'" for name in fields if (heading := columns.chosen.get(name))]
    if chosen:
        lack = f"no column {', '.join(chosen)}"
    else:
        lack = f"no column for {labelled(fields)}, and no default"
    return f"{file.name}, line {layout.header_line}: {lack}; found {there}."


def why_no_header(file: TextFile) -> str:
    first = next((line.strip() for line in file.head(HEAD) if line.strip()), "")
    if first == "undefined" and file.line_count <= 1:
        return f"{file.name} holds only the word 'undefined': an export failed; export it again."
    found = f"its first line is {shown(first, 80)}" if first else "it begins with blank lines only"
    needed = labelled(name for name, field in FIELDS.items() if field.required)
    return f"{file.name} has no header: {found}; expected columns for {needed}."


def dialect_of(file: TextFile, layout: Layout) -> Dialect:
    """How the file writes numbers and dates, as its first lines tell."""
    with closing(data_records(file, layout)) as records:
        return decide_dialect(first_of(records), layout)


def first_of(records: Iterator[Record]) -> Iterator[Record]:
    return islice(records, MOST_WITNESSES)
