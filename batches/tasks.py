"""The jobs of this room, as the queue knows them."""

from batches.background import batch_slice, waiting_batches
from batches.control import RUN
from joblogs.registry import Job, register

register(Job(RUN, batch_slice, waiting=waiting_batches))
