"""The orders, as Django sees them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import sums, upkeep

        post_migrate.connect(upkeep.install, sender=self)
        post_migrate.connect(sums.install, sender=self)
