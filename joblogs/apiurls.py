"""The addresses of the API of job logs and recurring jobs; none ends with a slash."""

from django.urls import path

from joblogs import api

urlpatterns = [
    path("api/job-logs", api.JobLogs.as_view(), name="api-job-logs"),
    path("api/job-logs/<str:id>", api.JobLogDetail.as_view(), name="api-job-log"),
    path("api/job-logs/<str:id>/lines", api.JobLogLines.as_view(), name="api-job-log-lines"),
    path("api/schedules", api.Schedules.as_view(), name="api-schedules"),
    path("api/schedules/<str:name>/run", api.Run.as_view(), name="api-schedule-run"),
    path("api/schedules/<str:name>/pause", api.Pause.as_view(), name="api-schedule-pause"),
    path("api/schedules/<str:name>/resume", api.Resume.as_view(), name="api-schedule-resume"),
]
