"""One of everything that has a page."""

from uuid import uuid4

from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Task
from django_q.tasks import async_task
from knox.models import AuthToken

from audit.models import Deed
from audit.writing import write_down
from imports.models import ImportExecutionLog
from joblogs.models import Notice
from joblogs.queueing import ring
from joblogs.schedules import place_schedules
from joblogs.states import Trigger
from orders.models import OpenOrder, OpenOrderSnapshot
from tests.batching import stage
from tests.conftest import TakeIn, file_of, fill


def everything(take_in: TakeIn) -> ImportExecutionLog:
    """An import with a line taken in, one failed and one known, and one of all else."""
    Group.objects.create(name="Operators")
    AuthToken.objects.create(User.objects.first() or User.objects.create(username="thea"))
    TOTPDevice.objects.create(user=User.objects.create(username="theo"), name="second factor")
    place_schedules()
    ring("import", trigger=Trigger.MANUAL)
    Notice.objects.create(key="x", title="Import failed")
    async_task("joblogs.tasks.attend")
    for name, success in [("went well", True), ("went wrong", False)]:
        ended = {"started": timezone.now(), "stopped": timezone.now(), "success": success}
        Task.objects.create(id=uuid4().hex, name=name, func="joblogs.tasks.attend", **ended)
    OpenOrder.objects.create(snapshot=OpenOrderSnapshot.objects.create(), number=1)
    stage(2)
    write_down(Deed.LOGIN, "")
    AccessAttempt.objects.create(username="", ip_address="192.0.2.1", failures_since_start=5)
    return take_in(file_of(fill(), fill(ID="exec-2", Quantity="abc"), fill()))
