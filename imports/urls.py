"""The pages of imports; their API has addresses of its own."""

from django.urls import path

from imports import backuppages, mending, pages, rangepages, views

urlpatterns = [
    path("", pages.import_logs, name="import-logs"),
    path("upload/", pages.upload, name="import-upload"),
    path("date-range/", rangepages.ask, name="import-date-range"),
    path("backup/", backuppages.backups, name="import-backup"),
    path("backup/download/", backuppages.give, name="import-backup-download"),
    path("<int:pk>/rows/", pages.rows, name="import-rows"),
    path("<int:pk>/errors/", pages.errors, name="import-errors"),
    path("<int:pk>/performance/", pages.performance, name="import-performance"),
    path("<int:pk>/", views.detail, name="import-detail"),
    path("<int:pk>/counts/", views.counted, name="import-counts"),
    path("<int:pk>/download/", views.exported, name="import-download"),
    path("<int:pk>/file/", views.stored_file, name="import-file"),
    path("<int:pk>/retry/", mending.retry, name="import-retry"),
    path("<int:pk>/cancel/", mending.cancel, name="import-cancel"),
    path("<int:pk>/rollback/", mending.roll_back, name="import-rollback"),
    path("<int:pk>/rows/<int:row>/correct/", mending.correct_line, name="import-correct"),
]
