"""The jobs that look after the house as a whole."""

from joblogs.forgetting import DAILY
from joblogs.registry import Job, register
from tradelog import reconciling, retention

register(
    Job(
        reconciling.RECONCILE,
        reconciling.reconcile_slice,
        every=DAILY,
        waiting=reconciling.waiting,
    ),
    Job(retention.CLEAN, retention.clean_slice, every=DAILY, was_idle=retention.was_idle),
)
