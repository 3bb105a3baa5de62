"""Questions about imports that have a name."""

import json

from django.db import models
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from imports.states import ACTIVE, MOVES, Status
from joblogs.owners import run_out


class ImportQuerySet(models.QuerySet):
    def due(self) -> "ImportQuerySet":
        """Waiting to be claimed: active, but nobody's, or of a process whose lease ran out."""
        free = models.Q(owner="") | run_out()
        return self.filter(free, status__in=ACTIVE)

    def with_account(self, name: str) -> "ImportQuerySet":
        """Of this very account, or meant for it; Sim101 means neither Sim1012 nor SIM101."""
        # No `contains`: SQLite would take capital and small letters for the same.
        quoted = models.Value(json.dumps(name, ensure_ascii=False))
        took_in = models.Q(GreaterThan(StrIndex("affected_accounts", quoted), 0))
        return self.filter(took_in | models.Q(default_account=name))

    def move(self, old: Status, new: Status, **values: object) -> bool:
        """Move from one state to another; whether this caller was the one who did it."""
        if (old, new) not in MOVES:
            raise ValueError(f"{old} → {new} is no legal move")
        return self.filter(status=old).update(status=new, **values) == 1
