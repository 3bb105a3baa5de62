"""A new password of one's own, by the admin's page for it, which would not audit it."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from audit.models import Deed
from audit.writing import write_down


@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    before = request.user.password
    with transaction.atomic():
        answer = admin.site.password_change(request)
        if request.user.password != before:
            write_down(Deed.CHANGE, request.user, words="own password")
    return answer
