"""The Django app `panel`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from panel.ops import checks, connections  # noqa: F401  # they register system checks, and what signals call
from panel.ops.planner import update_planner


class PanelConfig(AppConfig):
    """What Django shows of this app in the admin, and what follows a migration."""

    name = "panel"
    verbose_name = "Desk"

    def ready(self) -> None:
        """Connects what follows a migration."""
        post_migrate.connect(update_planner, sender=self)
