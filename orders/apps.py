"""The app that all tables of the orders belong to."""

from functools import partial

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    """The orders' app. After each migration it installs the triggers that keep counts, search and charge totals."""

    name = "orders"

    def ready(self) -> None:
        """Connects the triggers. Imports late, for they need the models."""
        from orders.statistics import charge_totals, search_index, status_counts
        from orders.statistics.triggers import install

        for table in (status_counts, search_index, charge_totals):
            post_migrate.connect(partial(install, table.TRIGGERS), sender=self, weak=False)
