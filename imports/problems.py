"""The two ways in which a file can be wrong: as a whole, or in one line."""

from dataclasses import dataclass

from imports.states import Category


class FileError(Exception):
    """The file cannot be taken in at all. The text is one sentence: what was found and expected."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. `field` is the column's heading as the file spells it, or ''."""

    field: str
    code: str
    error: str
    category: str = Category.VALIDATION

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "error": self.error}

    def at(self, line_number: int) -> str:
        """The sentence with its place: "line 7, Quantity: 'abc' is not a number"."""
        place = f"line {line_number}, {self.field}" if self.field else f"line {line_number}"
        return f"{place}: {self.error}"


class CellError(ValueError):
    """One cell cannot be read: a code for programs and a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def shown(text: str, limit: int = 60) -> str:
    """A cell as a message quotes it: in quotation marks, cut when long."""
    return repr(text if len(text) <= limit else f"{text[:limit]}…")
