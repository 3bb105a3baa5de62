"""The addresses of the API of imports; none ends with a slash."""

from django.urls import path

from imports import api, apibackup, apideeds

urlpatterns = [
    path("import-logs", api.newest_or_page, name="api-newest"),
    path("import-sample-data", apideeds.SampleData.as_view(), name="api-sample"),
    path("import-backup", apibackup.ImportBackup.as_view(), name="api-backup"),
    path("api/import-logs/list", api.ImportList.as_view(), name="api-list"),
    path("api/import-logs/detail/<str:id>", api.ImportDetail.as_view(), name="api-detail"),
    path("api/import-logs/failed-rows/<str:id>", api.FailedRows.as_view(), name="api-failed-rows"),
    path("api/import-logs/upload", apideeds.Upload.as_view(), name="api-upload"),
    path("api/import-logs/date-range", apideeds.DateRange.as_view(), name="api-date-range"),
    path("api/import-logs/retry/<str:id>", apideeds.Retry.as_view(), name="api-retry"),
    path(
        "api/import-logs/rollback-preview/<str:id>",
        api.RollbackPreview.as_view(),
        name="api-rollback-preview",
    ),
    path("api/import-logs/rollback/<str:id>", apideeds.Rollback.as_view(), name="api-rollback"),
    path("api/import-logs/download/<str:id>", api.Download.as_view(), name="api-download"),
    path(
        "api/import-logs/affected-trades/<str:id>",
        api.AffectedTrades.as_view(),
        name="api-affected-trades",
    ),
    path("api/import-logs/stats", api.Stats.as_view(), name="api-stats"),
]
