"""The app that all tables of the orders belong to."""

from functools import partial

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    """The orders' app. After each migration it installs the triggers and fills in what is missing in old orders."""

    name = "orders"

    def ready(self) -> None:
        """Connects what follows a migration. Imports late, for it needs the models."""
        from orders.statistics import charge_totals, search_index, status_counts
        from orders.statistics.search_fields import fill_old_orders
        from orders.statistics.triggers import install

        for table in (status_counts, search_index, charge_totals):
            post_migrate.connect(partial(install, table.TRIGGERS), sender=self, weak=False)
        # After the triggers, which take a new search text into the index.
        post_migrate.connect(fill_old_orders, sender=self)
