"""The app that all tables of the orders belong to."""

from functools import partial

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    """The orders' app. After each migration it installs the triggers and fills in what is missing in old orders."""

    name = "orders"

    def ready(self) -> None:
        """Connects what follows a migration, and writes the words of the trail. Imports late, for it needs models."""
        from accounts.trail.words import write_with
        from orders.activity.words import words_of
        from orders.limits import spent
        from orders.statistics import charge_totals, customer_sums, sales, search_index, status_counts
        from orders.statistics.charge_totals import merge_old_lines
        from orders.statistics.search_fields import fill_old_orders
        from orders.statistics.triggers import install

        write_with(words_of)
        triggers = (
            status_counts.TRIGGERS, search_index.TRIGGERS, charge_totals.TRIGGERS, spent.TRIGGERS,
            customer_sums.TRIGGERS, sales.TRIGGERS,
        )  # fmt: skip
        for table in (*triggers, status_counts.MERGING, charge_totals.MERGING, customer_sums.MERGING):
            post_migrate.connect(partial(install, table), sender=self, weak=False)
        # What came before the triggers that merge.
        post_migrate.connect(merge_old_lines, sender=self)
        # After the triggers, which take a new search text into the index.
        post_migrate.connect(fill_old_orders, sender=self)
