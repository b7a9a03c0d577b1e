"""The orders, as Django sees them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders.statistics import charge_totals, search_index

        post_migrate.connect(search_index.install, sender=self)
        post_migrate.connect(charge_totals.install, sender=self)
