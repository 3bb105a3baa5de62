"""The pages of job logs, recurring jobs and notices; the list of job logs is the start page."""

from django.urls import path
from django.views.generic import RedirectView

from joblogs import noticepages, scheduler, views

urlpatterns = [
    path("", views.job_logs, name="job-logs"),
    path("job-logs/", RedirectView.as_view(pattern_name="job-logs", query_string=True)),
    path("job-logs/<int:pk>/", views.job_log, name="job-log"),
    path("job-logs/<int:pk>/lines/", views.lines, name="job-log-lines"),
    path("notices/", noticepages.notices, name="notices"),
    path("notices/acknowledge/", noticepages.acknowledge_seen, name="notices-acknowledge"),
    path("notices/<int:pk>/acknowledge/", noticepages.acknowledge_one, name="notice-acknowledge"),
    path("scheduler/", scheduler.scheduler, name="scheduler"),
    path("scheduler/<str:name>/run/", scheduler.run, name="schedule-run"),
    path("scheduler/<str:name>/pause/", scheduler.pause, name="schedule-pause"),
    path("scheduler/<str:name>/resume/", scheduler.resume, name="schedule-resume"),
]
