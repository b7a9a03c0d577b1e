"""The Django app `panel`."""

from django.apps import AppConfig

from panel.ops import checks, connections  # noqa: F401  # they register system checks, and what signals call


class PanelConfig(AppConfig):
    """What Django shows of this app in the admin."""

    name = "panel"
    verbose_name = "Desk"
