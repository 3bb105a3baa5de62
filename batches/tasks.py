"""The jobs of this room, as the queue knows them."""

from batches.background import batch_slice, waiting_batches, waiting_undos
from batches.cleanup import CLEAN, DAILY, clean_slice, is_needed
from batches.control import RUN, UNDO
from batches.undoing import undo_slice
from joblogs.registry import Job, register

PAGE = "batch"

register(
    Job(RUN, batch_slice, waiting=waiting_batches, page=PAGE),
    Job(UNDO, undo_slice, waiting=waiting_undos, page=PAGE),
    Job(CLEAN, clean_slice, every=DAILY, is_needed=is_needed),
)
