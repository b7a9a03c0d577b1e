"""Mistakes in how much is read: by the wrong index, of everything there ever was, or twice."""

from tests.mutants.mistake import Mistake

FLAT = "tests/orders/test_flat_reads.py"
FOLD, FOLDS = "orders/following/fold.py", "tests/orders/following/test_fold.py"
INDEXES = "tests/orders/models/test_indexes.py"
MERGED = "tests/orders/statistics/test_merged_lines.py"
LATE = "tests/orders/reports/test_late.py"
TASKS = "orders/models/task.py"
COUNTS = "orders/statistics/status_counts.py"
TOTALS = "orders/statistics/charge_totals.py"
PAGING = "orders/table/paging.py"

MISTAKES = (
    # ── By the wrong index ───────────────────────────────────────────────────────────────────────
    Mistake(
        "what waits for money stands before what may be sent",
        "orders/migrations/0022_indexes_that_leave_no_choice.py",
        "condition=Q(settled_at=None, needs=None)),", "condition=Q(settled_at=None, needs__isnull=False)),",
        FLAT,
    ),
    Mistake(
        "silent refills are looked for among all tasks", TASKS,
        "sent = self.filter(IS_REFILL, over_at", "sent = self.filter(kind=TaskKind.REFILL, over_at",
        FLAT,
    ),
    Mistake(
        "a list that goes on upward begins at the first of all orders", PAGING,
        "ALL_ROWS = [IndexRows(Order.objects.all())]", "ALL_ROWS = [IndexRows(Order.objects.filter(pk__gt=0))]",
        FLAT,
    ),
    Mistake(
        "the list begins with the services", PAGING,
        "Order.objects.filter(pk__in=within).order_by(order))",
        "Order.objects.filter(**{name: Given(name) for name in bounds}).order_by(order)[:most])",
        FLAT,
    ),
    Mistake(
        "what is queued is looked for among all that were rejected", "orders/statistics/spending.py",
        "filter(status=Status.QUEUED, known__isnull=True)", "filter(status=Status.QUEUED, upstream_id=None)",
        FLAT,
    ),
    Mistake(
        "the balance of a moment is looked for from the newest back", "orders/detail/evidence.py",
        "BalanceReading.objects.at(first)", "BalanceReading.objects.filter(first_asked_at__lte=first).first()",
        FLAT,
    ),
    Mistake(
        "what upstream took meanwhile is looked for among all tasks", "orders/detail/evidence.py",
        "Task.objects.filter(IS_PLACED, settled_at__gt",
        'Task.objects.filter(kind="place", outcome="done", settled_at__gt',
        FLAT,
    ),
    Mistake(
        "an alarm that is open is looked for among all", "panel/migrations/0007_open_alarms.py",
        "condition=Q(ended_at=None)", "condition=Q(ended_at__isnull=False)",
        FLAT,
    ),
    # ── Lines that are added up ──────────────────────────────────────────────────────────────────
    Mistake(
        "nobody merges the lines of the status counts", COUNTS,
        "WHEN NEW.id % {MERGED_EVERY} = 0\n", "WHEN NEW.id % {MERGED_EVERY} = -1\n",
        MERGED,
    ),
    Mistake(
        "a merge throws away the line that it has just written", COUNTS,
        "DELETE FROM orders_tally WHERE id <= NEW.id;", "DELETE FROM orders_tally;",
        MERGED,
    ),
    Mistake(
        "a merge of totals forgets the quarters that it has not merged", TOTALS,
        "DELETE FROM orders_charged WHERE id <= NEW.id AND slot IN ({NEWEST_SLOTS} AND id <= NEW.id);",
        "DELETE FROM orders_charged WHERE id < NEW.id - 10;",
        MERGED,
    ),
    Mistake(
        "lines that came before the triggers stay for ever", TOTALS,
        "        compact()\n        while", "        while",
        MERGED,
    ),
    # ── Pages ────────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "the next page of late orders begins with the last of this one", "orders/reports/late.py",
        "orders_order.id) > (%s", "orders_order.id) >= (%s",
        LATE,
    ),
    Mistake(
        "of orders that are late since one moment only a page is shown", "orders/reports/late.py",
        'where=["(orders_order.late_from, orders_order.id) > (%s, %s)"]',
        'where=["orders_order.late_from > %s AND %s > 0"]',
        LATE,
    ),
    # ── Folded readings ──────────────────────────────────────────────────────────────────────────
    Mistake(
        "a reading that is folded loses its own steps", "orders/models/statistics.py",
        "for at, remains in later.points]", "for at, remains in later.points[:1]]",
        FOLDS,
    ),
    Mistake(
        "a change of status is folded", FOLD,
        "keeper.status == reading.status and reading.status not in FINAL", "reading.status not in FINAL",
        FOLDS,
    ),
    Mistake(
        "the readings by which webhooks are judged are folded", FOLD,
        "keeper.status == reading.status and reading.status not in FINAL", "keeper.status == reading.status",
        FOLDS,
    ),
    Mistake(
        "the last reading is folded", FOLD,
        "keeper is None or reading is readings[-1] or not", "keeper is None or not",
        FOLDS,
    ),
    Mistake(
        "the chart leaves out what is folded", "orders/detail/progress_chart.py",
        "for point in reading.points]", "for point in reading.points[:1]]",
        FOLDS,
    ),
    Mistake(
        "readings are not folded while an order is polled", "orders/following/poll.py",
        "        fold(to_fold)\n", "",
        FOLDS,
    ),
    Mistake(
        "all old readings are folded in one go", FOLD,
        "lowest = max(0, row.down_to - ORDERS_WALKED)", "lowest = 0",
        FOLDS,
    ),
    Mistake(
        "the index of a person's events is of those that nobody did", "orders/migrations/0023_less_weight.py",
        "condition=Q(by__isnull=False)", "condition=Q(by__isnull=True)",
        INDEXES,
    ),
    Mistake(
        "a relation has an index beside one that begins with it", "orders/models/saved_view.py",
        'related_name="views", db_index=False', 'related_name="views"',
        INDEXES,
    ),
)  # fmt: skip
