"""What other rooms show under the recurring jobs: each adds its part in its `tasks.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Section:
    """`render` gives the HTML of a part: a <section> of its own. Only for those who may see it."""

    permission: str
    render: Callable[[HttpRequest], SafeString]


SECTIONS: dict[str, Section] = {}


def add_section(name: str, section: Section) -> None:
    SECTIONS[name] = section


def sections_for(request: HttpRequest) -> list[SafeString]:
    return [
        section.render(request)
        for section in SECTIONS.values()
        if request.user.has_perm(section.permission)
    ]
