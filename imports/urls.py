"""The pages of imports; their API has addresses of its own."""

from django.urls import path
from django.views.generic import RedirectView

from imports import pages

urlpatterns = [
    path("", pages.import_logs, name="import-logs"),
    path("upload/", pages.upload, name="import-upload"),
    path("<int:pk>/rows/", pages.rows, name="import-rows"),
    path("<int:pk>/errors/", pages.errors, name="import-errors"),
    path("<int:pk>/performance/", pages.performance, name="import-performance"),
    path(
        "<int:pk>/",
        RedirectView.as_view(pattern_name="admin:imports_importexecutionlog_change"),
        name="import-detail",
    ),
    path(
        "<int:pk>/retry/", RedirectView.as_view(pattern_name="import-detail"), name="import-retry"
    ),
    path(
        "<int:pk>/rollback/",
        RedirectView.as_view(pattern_name="import-detail"),
        name="import-rollback",
    ),
    path(
        "<int:pk>/download/",
        RedirectView.as_view(pattern_name="import-detail"),
        name="import-download",
    ),
]
