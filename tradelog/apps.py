"""The project as an app: it brings the system checks, the groups and commands to set it up."""

from django.apps import AppConfig

from tradelog import checks, rights


class TradelogConfig(AppConfig):
    name = "tradelog"

    def ready(self) -> None:
        checks.register_all()
        rights.watch_over_groups()
