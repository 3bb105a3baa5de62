"""The jobs that look after the house as a whole."""

from joblogs.forgetting import DAILY
from joblogs.registry import Job, register
from tradelog.reconciling import RECONCILE, reconcile_slice, waiting

register(Job(RECONCILE, reconcile_slice, every=DAILY, waiting=waiting))
