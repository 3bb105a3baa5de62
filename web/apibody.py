"""The bodies of requests to the API: what is refused before a view reads it."""

from typing import Any, BinaryIO

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JSONBody(JSONParser):
    """JSON, unless it is nested deeper than Python can follow."""

    def parse(self, stream: BinaryIO, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(stream, *args, **kwargs)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
