"""The addresses of the API of batches; none ends with a slash."""

from django.urls import path

from batches import api, apideeds, apinew, apiprogress, apitemplates

urlpatterns = [
    path("api/batches", apinew.Batches.as_view(), name="api-batches"),
    path("api/batches/active", api.ActiveBatches.as_view(), name="api-active-batches"),
    path("api/batches/recent", api.RecentBatches.as_view(), name="api-recent-batches"),
    path("api/batches/<str:id>", apideeds.OneBatch.as_view(), name="api-batch"),
    path("api/batches/<str:id>/trades", api.BatchTrades.as_view(), name="api-batch-trades"),
    path(
        "api/batches/<str:id>/progress",
        apiprogress.BatchProgress.as_view(),
        name="api-batch-progress",
    ),
    path("api/batches/<str:id>/results", api.BatchResults.as_view(), name="api-batch-results"),
    path("api/batches/<str:id>/errors", api.BatchErrors.as_view(), name="api-batch-errors"),
    path("api/batches/<str:id>/export", api.BatchExport.as_view(), name="api-batch-export"),
    path("api/batches/<str:id>/start", apideeds.Start.as_view(), name="api-batch-start"),
    path("api/batches/<str:id>/cancel", apideeds.Cancel.as_view(), name="api-batch-cancel"),
    path("api/batches/<str:id>/retry", apideeds.Retry.as_view(), name="api-batch-retry"),
    path("api/batches/<str:id>/undo", apideeds.Undo.as_view(), name="api-batch-undo"),
    path("api/batches/<str:id>/archive", apideeds.Archive.as_view(), name="api-batch-archive"),
    path(
        "api/batches/<str:id>/unarchive", apideeds.Unarchive.as_view(), name="api-batch-unarchive"
    ),
    path("api/batches/<str:id>/priority", apideeds.Priority.as_view(), name="api-batch-priority"),
    path("api/batch-templates", apitemplates.Templates.as_view(), name="api-batch-templates"),
    path(
        "api/batch-templates/<str:id>", apitemplates.Template.as_view(), name="api-batch-template"
    ),
]
