"""Fills in what old orders are found by, after a migration that brought something new to find them by."""

import logging
from typing import Any

from django.db import connections, transaction

from catalog.networks import NETWORKS, target_of
from orders.models import Order
from orders.rules.links import SEARCH_TEXT_CHARACTERS, network_of
from panel.format.letters import folded

log = logging.getLogger(__name__)

ORDERS_AT_ONCE = 1_000  # in a transaction of their own, so that nobody waits long for its end
NETWORKS_BY_NAME = {network.name.lower(): network for network in NETWORKS.values()}
DOUBTED_NETWORKS = ("", "x")  # unknown so far, or read from a lone x between words


def fill_old_orders(using: str = "default", **_: Any) -> int:
    """Fills in the orders without a target, newest first, and returns how many. A receiver of `post_migrate`.

    When it is killed, the next `migrate` goes on where it stopped.
    """
    connection, table = connections[using], Order._meta.db_table
    with connection.cursor() as cursor:
        known = table in connection.introspection.table_names(cursor) and {
            column.name for column in connection.introspection.get_table_description(cursor, table)
        }
    if not known or "target" not in known:
        return 0  # a database that was migrated back
    orders = Order.objects.using(using).filter(target=None).order_by("-pk")
    rows = orders.values_list("pk", "link", "network", "haystack", "category", "service__name")
    count, last = 0, None
    while batch := list((rows.filter(pk__lt=last) if last else rows)[:ORDERS_AT_ONCE]):
        changes = [(pk, *search_columns(*columns), columns[1:3]) for pk, *columns in batch]
        moved = [(network, text, pk) for pk, network, text, _, was in changes if (network, text) != tuple(was)]
        with transaction.atomic(using=using), connection.cursor() as cursor:
            # Not bulk_update, whose CASE of a thousand branches takes twenty times as long.
            if moved:
                cursor.executemany("UPDATE orders_order SET network = %s, haystack = %s WHERE id = %s", moved)
            targets = [(target, pk) for pk, _, _, target, _ in changes]
            cursor.executemany("UPDATE orders_order SET target = %s WHERE id = %s", targets)
        count, last = count + len(batch), batch[-1][0]
    if count:
        log.info("filled in what %s old orders are found by", f"{count:,}")
    return count


def search_columns(link: str, network: str, haystack: str, category: str, service_name: str) -> tuple[str, str, str]:
    """The network, search text and target of an order that was written down before these were read as they are now."""
    known = NETWORKS_BY_NAME.get(network)
    if network in DOUBTED_NETWORKS:
        known = network_of(category, service_name)
    text = folded(haystack)[:SEARCH_TEXT_CHARACTERS]
    return known.name.lower() if known else "", text, target_of(link, known)
