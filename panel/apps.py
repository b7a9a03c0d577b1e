"""The Django app `panel`."""

from django.apps import AppConfig

from panel.ops import checks  # noqa: F401  # registers the system checks


class PanelConfig(AppConfig):
    """What Django shows of this app in the admin."""

    name = "panel"
    verbose_name = "Desk"
