"""The addresses of the API of job logs, recurring jobs and notices; none ends with a slash."""

from django.urls import path

from joblogs import api, noticeapi

urlpatterns = [
    path("api/job-logs", api.JobLogs.as_view(), name="api-job-logs"),
    path("api/job-logs/<str:id>", api.JobLogDetail.as_view(), name="api-job-log"),
    path("api/job-logs/<str:id>/lines", api.JobLogLines.as_view(), name="api-job-log-lines"),
    path("api/notices", noticeapi.Notices.as_view(), name="api-notices"),
    path(
        "api/notices/<str:id>/acknowledge",
        noticeapi.Acknowledge.as_view(),
        name="api-notice-acknowledge",
    ),
    path("api/schedules", api.Schedules.as_view(), name="api-schedules"),
    path("api/schedules/<str:name>/run", api.Run.as_view(), name="api-schedule-run"),
    path("api/schedules/<str:name>/pause", api.Pause.as_view(), name="api-schedule-pause"),
    path("api/schedules/<str:name>/resume", api.Resume.as_view(), name="api-schedule-resume"),
]
