"""The project as an app: it brings the system checks and the commands that set it up."""

from django.apps import AppConfig

from tradelog import checks


class TradelogConfig(AppConfig):
    name = "tradelog"

    def ready(self) -> None:
        checks.register_all()
