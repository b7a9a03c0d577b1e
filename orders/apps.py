"""The orders, as Django sees them."""

from functools import partial

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders.statistics import charge_totals, search_index, status_counts
        from orders.statistics.triggers import install

        for kept in (status_counts, search_index, charge_totals):
            post_migrate.connect(partial(install, kept.TRIGGERS), sender=self, weak=False)
