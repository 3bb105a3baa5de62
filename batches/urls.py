"""The pages of batches; their API has addresses of its own."""

from django.urls import path

from batches import copypages, newpages, pages, templatepages
from batches.deeds import DEEDS, page_of

urlpatterns = [
    path("", pages.dashboard, name="batches"),
    path("history/", pages.history, name="batch-history"),
    path("progress/", pages.progress, name="batch-progress"),
    path("new/", newpages.new, name="batch-new"),
    path("new/preview/", newpages.preview, name="batch-preview"),
    path("copy/", copypages.copy, name="batch-copy"),
    path("templates/", templatepages.templates, name="batch-templates"),
    path("templates/new/", templatepages.new, name="batch-template-new"),
    path("templates/<int:pk>/", templatepages.edit, name="batch-template"),
    path("templates/<int:pk>/delete/", templatepages.delete, name="batch-template-delete"),
    path("<int:pk>/", pages.batch, name="batch"),
    path("<int:pk>/results/<str:form>/", pages.results, name="batch-results"),
    *(path(f"<int:pk>/{deed.name}/", page_of(deed), name=f"batch-{deed.name}") for deed in DEEDS),
]
