"""The bodies of requests to the API: what is refused before a view reads it."""

import codecs
from collections.abc import Mapping
from typing import Any, BinaryIO

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils.json import strict_constant

from web.jsontext import strict_json


class JSONBody(JSONParser):
    """JSON, unless it is nested too deeply or says one thing twice."""

    def parse(
        self,
        stream: BinaryIO,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            text = codecs.getreader(encoding)(stream).read()
            return strict_json(text, parse_constant=strict_constant)
        except ValueError as problem:
            raise ParseError(f"The body is no JSON that can be read: {problem}.") from None
