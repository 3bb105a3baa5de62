"""The page that gives a backup of all trades, and brings one back."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from imports.actions import tell_received
from imports.apibackup import BACK_UP, RESTORE
from imports.background import start_import
from imports.backup import backup_for_download
from imports.formats.tradelog_backup import FORMAT
from imports.forms import BackupForm
from imports.models import ImportExecutionLog
from imports.problems import FileError
from imports.storing import Wishes, receive
from joblogs.states import Trigger
from trades.models import Trade
from web.downloads import download_open
from web.shell import page_for, shell


@page_for(RESTORE)
@require_http_methods(["GET", "POST"])
def backups(request: HttpRequest) -> HttpResponse:
    """A link to the backup, and a form for one that is to be brought back."""
    sent = [request.POST, request.FILES] if request.method == "POST" else []
    form = BackupForm(*sent)
    if form.is_valid():
        return restored(request, form.cleaned_data["file"])
    may_back_up = request.user.has_perms(BACK_UP)
    context = {
        "title": "Back up and restore",
        "form": form,
        "may_back_up": may_back_up,
        "trades": Trade.objects.count() if may_back_up else None,
    }
    return render(request, "imports/backup.html", shell(request, **context))


def restored(request: HttpRequest, file: UploadedFile) -> HttpResponse:
    kind = ImportExecutionLog.Type.BACKUP
    wishes = Wishes(format=FORMAT.name, import_type=kind, user=request.user)
    log = receive(file, file.name, wishes)
    start_import(log, Trigger.MANUAL)
    tell_received(request, log)
    return redirect(log)


@page_for(*BACK_UP)
@require_GET
def give(request: HttpRequest) -> HttpResponseBase:
    """A compressed backup of this moment, or on its page why there is none."""
    try:
        return download_open(*backup_for_download())
    except FileError as problem:
        messages.error(request, str(problem))
        return redirect("import-backup")
