"""The roof, as Django sees it."""

from django.apps import AppConfig


class PanelConfig(AppConfig):
    name = "panel"
    verbose_name = "Desk"

    def ready(self) -> None:
        from panel.ops import checks  # noqa: F401  registers them
