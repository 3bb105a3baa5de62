"""What every line of the log is marked with: the request, or the job, that it was written for."""

from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("request", default="")
JOB: ContextVar[str] = ContextVar("job", default="")
