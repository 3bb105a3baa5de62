"""The jobs of this room, as the queue knows them."""

from imports.background import (
    IMPORT,
    ROLLBACK,
    import_slice,
    rollback_slice,
    waiting_imports,
    waiting_rollbacks,
)
from joblogs.registry import Job, register

register(
    Job(IMPORT, import_slice, waiting=waiting_imports),
    Job(ROLLBACK, rollback_slice, waiting=waiting_rollbacks),
)
