"""What a user may set about an executor, and how it is read from a form or from JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from web.numbers import whole_number


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: a whole number between two bounds, or a text of at most `largest` characters.

    The default decides which.
    """

    name: str
    label: str
    default: int | str
    smallest: int = 0
    largest: int = 1_000_000
    help: str = ""

    @property
    def is_text(self) -> bool:
        return isinstance(self.default, str)

    def read(self, given: object) -> int | str:
        """The value of what a user gave. Raises ValueError with a sentence."""
        if self.is_text:
            return self.read_text(given)
        number = whole_number(str(given)) if not isinstance(given, bool) else None
        if number is None or not self.smallest <= number <= self.largest:
            raise ValueError(
                f"{self.label}: {ascii(str(given)[:60])} is no whole number from {self.smallest:,} "
                f"to {self.largest:,}."
            )
        return number

    def read_text(self, given: object) -> str:
        if not isinstance(given, str) or not self.smallest <= len(given) <= self.largest:
            raise ValueError(
                f"{self.label}: expected a text of {self.smallest} to {self.largest} characters."
            )
        return given


def read_settings(settings: Iterable[Setting], given: Mapping[str, object]) -> dict[str, int | str]:
    """A value for each of the settings. Raises ValueError with one sentence."""
    known = {setting.name: setting for setting in settings}
    if unknown := sorted(given.keys() - known.keys()):
        names = ", ".join(known) or "none"
        raise ValueError(f"There is no setting {ascii(unknown[0][:60])}; there are: {names}.")
    return {
        name: setting.default if given.get(name) in (None, "") else setting.read(given[name])
        for name, setting in known.items()
    }
