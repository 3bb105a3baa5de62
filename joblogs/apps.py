"""The room as an app: at the start it asks every room for its jobs."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JoblogsConfig(AppConfig):
    name = "joblogs"
    verbose_name = "Job logs"

    def ready(self) -> None:
        autodiscover_modules("tasks")
