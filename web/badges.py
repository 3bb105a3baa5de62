"""How a state looks wherever it is shown: a colour, an icon and always a word."""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Badge:
    """`tone` is one of success, warning, danger, info or plain; `icon` a Material Symbol."""

    tone: str
    icon: str

    def html(self, word: str) -> SafeString:
        """The badge as HTML; a screen reader hears only the word."""
        return render_to_string("web/badge.html", {"badge": self, "word": word})
