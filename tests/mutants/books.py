"""Mistakes with old books, with services whose newest row cannot be read, and with their types."""

from tests.mutants.mistake import Mistake

OLD_BOOKS = "tests/orders/placing/test_old_books.py"
UNREAD_ROWS = "tests/catalog/test_unread_rows.py"
CONNECTIONS = "panel/ops/connections.py"
TEST_CONNECTIONS = "tests/panel/ops/test_connections.py"

MISTAKES = (
    Mistake(
        "the last thing before a backup is not held", "orders/placing/old_books.py",
        "return sorted([*events, *tasks], reverse=True)", "return sorted(events, reverse=True)",
        OLD_BOOKS,
    ),
    Mistake(
        "a worker that does not look at its books", "panel/worker/loop.py",
        "                look_at_books(now)", "                pass",
        "tests/panel/worker/test_start.py",
    ),
    Mistake(
        "a page goes on in a file that a restored copy has replaced", CONNECTIONS,
        "    if file == file_of(connection):", "    if True:",
        TEST_CONNECTIONS,
    ),
    Mistake(
        "a copy of a process goes on with its connection", CONNECTIONS,
        "    if process != os.getpid():", "    if False:",
        TEST_CONNECTIONS,
    ),
    Mistake(
        "a worker works on in books that were put in place", "panel/worker/loop.py",
        "            if leave_replaced():", "            if leave_replaced() and False:",
        TEST_CONNECTIONS,
    ),
    Mistake(
        "each request opens a connection of its own", "panel/settings.py",
        '"CONN_MAX_AGE": 60', '"CONN_MAX_AGE": 0',
        TEST_CONNECTIONS,
    ),
    Mistake(
        "a machine ends the stop over old books", "orders/placing/send_switch.py",
        "stopped_by=None, old_since=None)", "stopped_by=None)",
        OLD_BOOKS,
    ),
    Mistake(
        "a press on the usual button ends the stop over old books", "orders/placing/send_switch.py",
        "        if switch_row().filter(old_since__isnull=False).exists():", "        if False:",
        OLD_BOOKS,
    ),
    Mistake(
        "what was due in old books counts as never sent", "orders/placing/old_books.py",
        "unclear_since=None).update(unclear_since=doubt_since)", "unclear_since=None).update(unclear_since=None)",
        OLD_BOOKS,
    ),
    Mistake(
        "a doubt that begins when it is noticed", "orders/placing/old_books.py",
        "hold(since, worker_at + JUST_AFTER,", "hold(since, now + JUST_AFTER,",
        OLD_BOOKS,
    ),
    Mistake(
        "a refill in old books is sent with the rest", "orders/placing/old_books.py",
        "if task.pk in chosen and (task.kind != Kind.REFILL or not task.unclear_since)", "if task.pk in chosen",
        OLD_BOOKS,
    ),
    Mistake(
        "a rest takes away doubts that were there before", "orders/placing/old_books.py",
        ".filter(unclear_since=sending.doubt_since)", "",
        OLD_BOOKS,
    ),
    Mistake(
        "a service whose row cannot be read sells on at the old price", "catalog/sync.py",
        "        if why != was and (active or not why):", "        if False:",
        UNREAD_ROWS,
    ),
    Mistake(
        "a yes to one unreadable row counts for the next", "orders/placing/form.py",
        'if service.unread_mark and self.data.get("despite_unread") != service.unread_mark:',
        'if service.unread_mark and not self.data.get("despite_unread"):',
        UNREAD_ROWS,
    ),
    Mistake(
        "a rate below a millionth is sold as $0", "catalog/sync.py",
        "    if row.rate and not stored(row.rate):", "    if False:",
        UNREAD_ROWS,
    ),
    Mistake(
        "a type is known by its capitals alone", "catalog/models.py",
        'for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum()', "for sign in name.casefold()",
        "tests/orders/rules/test_service_types.py",
    ),
    Mistake(
        "a minimum of 0 lets a quantity of 0 through", "catalog/models.py",
        "return max(1, self.minimum)", "return self.minimum",
        "tests/orders/rules/test_service_types.py",
    ),
)  # fmt: skip
