from django.apps import AppConfig


class JoblogsConfig(AppConfig):
    name = "joblogs"
    verbose_name = "Background"
