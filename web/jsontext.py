"""JSON in a column of text."""

import json

from django.db import models


class JSONTextField(models.TextField):
    """JSON kept as text.

    The database never looks inside, so it is spared the parsing that `jsonb` and SQLite's
    JSON check would do for every line of every file.
    """

    def from_db_value(self, value: str | None, *_: object) -> object:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else self.encoded(value)

    encoded = staticmethod(json.JSONEncoder(ensure_ascii=False).encode)
