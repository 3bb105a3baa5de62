"""The project as an app: it brings the system checks, the groups and commands to set it up."""

from django.apps import AppConfig, apps

from tradelog import checks, rights

# What the admin calls the apps of others.
TITLES = {"axes": "Failed logins", "knox": "API tokens", "otp_totp": "Second factors"}


class TradelogConfig(AppConfig):
    name = "tradelog"

    def ready(self) -> None:
        checks.register_all()
        rights.watch_over_groups()
        for label, title in TITLES.items():
            apps.get_app_config(label).verbose_name = title
