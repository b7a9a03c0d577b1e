"""Mistakes in the orders table: what its rows say, what its tabs count, whose new orders come, and its exports."""

from tests.mutants.mistake import Mistake

LISTING, TABS = "orders/table/listing.py", "tests/orders/table/test_tabs.py"
VIEWS, EXPORT = "tests/orders/table/test_saved_views.py", "tests/orders/table/test_export.py"

MISTAKES = (
    Mistake(
        "a kept row that forgets to whom it is assigned", "orders/table/rows.py",
        "_loaded(User, assignee) if order.assigned_to_id else None", "None",
        "tests/orders/table/test_drawn_rows.py",
    ),
    Mistake(
        "a network’s sign beside a host that only belongs to it", "catalog/networks.py",
        "    if netloc != host or not own:\n", "    if netloc != host or not key:\n",
        "tests/catalog/test_link_parts.py",
    ),
    Mistake(
        "a network’s sign beside a host behind an @", "catalog/networks.py",
        "    if netloc != host or not own:\n", "    if not own:\n",
        "tests/catalog/test_link_parts.py",
    ),
    Mistake(
        "a service without a name", "catalog/service_names.py",
        "    if not WORD.search(rest):\n", "    if False:\n",
        "tests/catalog/test_service_names.py",
    ),
    Mistake(
        "a filtered list with the numbers of the whole desk", LISTING,
        '            "tab_counts": self.tab_counts(),\n', '            "tab_counts": None,\n',
        TABS,
    ),
    Mistake(
        "a number that claims to be all", LISTING,
        "at_least(count) if more else number(count)", "number(count)",
        TABS,
    ),
    Mistake(
        "one’s own new order waits behind the pill", "orders/table/views.py",
        "listing.own_new_orders(versions)) if more and versions", "listing.own_new_orders(versions)) if False",
        TABS,
    ),
    Mistake(
        "a teammate’s new order pushes the rows", LISTING,
        "self.newer_orders().filter(placed_by=self.user.pk)", "self.newer_orders()",
        TABS,
    ),
    Mistake(
        "one’s own new order comes twice", LISTING,
        "filter(placed_by=self.user.pk).exclude(pk__in=self._since(shown))", "filter(placed_by=self.user.pk)",
        TABS,
    ),
    Mistake(
        "a shared view that no teammate sees", "orders/models/saved_view.py",
        "if pk in mine), *team[:TABS]]", "if pk in mine)]",
        VIEWS,
    ),
    Mistake(
        "a view that comes back after it was unpinned", "orders/models/saved_view.py",
        "{*user.pinned, *user.unpinned}", "{*user.pinned}",
        VIEWS,
    ),
    Mistake(
        "a line of prose above the heads", "panel/format/spreadsheet.py",
        "csv.writer(text).writerow(heads)", 'csv.writer(text).writerows([["Orders"], heads])',
        EXPORT,
    ),
    Mistake(
        "a file that is named after the customer searched for", "orders/table/views.py",
        'not views["view_changed"] else files.recorded_words', 'not views["view_changed"] else files.filter_words',
        EXPORT,
    ),
    Mistake(
        "a rail that counts changes that are decided", "panel/site/status_bar.py",
        "catalog_change WHERE decided_at IS NULL", "catalog_change WHERE id > 0",
        "tests/panel/site/test_rail.py",
    ),
    Mistake(
        "a rail that counts what others have to do", "panel/site/status_bar.py",
        "assigned=capped_count(MINE, WHO)", "assigned=capped_count(MINE.replace('= %s', '> 0'))",
        "tests/panel/site/test_rail.py",
    ),
    Mistake(
        "a demo that names one busy port at a time", "panel/management/commands/demo.py",
        "in ports.items() if not is_free(port)}", "in list(ports.items())[:1] if not is_free(port)}",
        "tests/panel/test_demo_command.py",
    ),
)  # fmt: skip
