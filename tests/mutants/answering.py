"""Mistakes in how the desk answers: with a 500, with a sentence that is not true, or with markup that shows."""

from tests.mutants.mistake import Mistake

STURDY = "tests/panel/test_sturdy.py"
OUTAGES = "tests/panel/ops/test_outages.py"
OUTAGE_PAGES = "tests/panel/site/test_outages.py"
ADMIN, ADMIN_LIST = "panel/web/admin_record.py", "panel/web/admin_list.py"
ADMIN_PAGES = "tests/orders/models/test_admin.py"
FOR_OWNERS = "tests/orders/models/test_admin_for_owners.py"
SAME_COST = "tests/orders/models/test_admin_cost.py::test_a_page_costs_the_same_however_many_rows_there_are"
ADMIN_COST = f"{SAME_COST}[Event] {SAME_COST}[TurnedAway]"

MISTAKES = (
    Mistake(
        "the rest of what was sent is left unread", "panel/site/middleware.py",
        "while request.read(PIECE_BYTES):", "while not request:",
        "tests/panel/site/test_to_the_end.py",
    ),
    Mistake(
        "whether there is room is asked by a row that stays", "panel/ops/write_probe.py",
        'cursor.execute(f"DELETE FROM {table} WHERE cache_key = %s", [ROW])', "pass",
        OUTAGES,
    ),
    # ── What no database is asked ────────────────────────────────────────────────────────────────
    Mistake(
        "an id of one bit too many is looked up", "panel/web/params.py",
        "LARGEST_ID = 2**63 - 1", "LARGEST_ID = 2**64 - 1",
        STURDY,
    ),
    Mistake(
        "an admin page looks up an id that no record can have", ADMIN_LIST,
        "            field.run_validators(value)", "            pass",
        STURDY,
    ),
    Mistake(
        "a year outside the calendar is asked for", ADMIN,
        "value.isdecimal() and int(value) in YEARS", "value.isdecimal()",
        STURDY,
    ),
    Mistake(
        "a pattern of any length is asked for", ADMIN,
        "len(value) > SEARCH_CHARACTERS or ", "",
        STURDY,
    ),
    Mistake(
        "a field to lead to may be a relation", ADMIN,
        "return to_field in fields and super()", "return super()",
        STURDY,
    ),
    Mistake(
        "a sign-in name of any length is a pattern", "accounts/adapter.py",
        'if name == "password" else text[:LOGIN_CHARACTERS]', 'if name == "password" else text',
        STURDY,
    ),
    # ── What a database says ─────────────────────────────────────────────────────────────────────
    Mistake(
        "a locked database is our mistake", "panel/ops/outages.py",
        '"database is locked", ', "",
        f"{OUTAGES} {OUTAGE_PAGES}",
    ),
    Mistake(
        "a lock is an outage that stands", "panel/ops/outages.py",
        "    10, False,\n", "    10, True,\n",
        f"{OUTAGES} {OUTAGE_PAGES}",
    ),
    Mistake(
        "what was typed is gone", "panel/site/failures.py",
        "        return fields_of(request.POST)\n", "        return []\n",
        OUTAGE_PAGES,
    ),
    Mistake(
        "a password is shown back", "panel/site/failures.py",
        'SECRET_FIELDS = ("password", ', 'SECRET_FIELDS = ("pin", ',
        OUTAGE_PAGES,
    ),
    Mistake(
        "a throttle that cannot count says too many tries", "panel/site/middleware.py",
        "if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and", "if False and",
        OUTAGE_PAGES,
    ),
    Mistake(
        "readiness reads and does not write", "panel/site/views.py",
        "outage = why_no_write() if not lacks else None", "outage = None",
        OUTAGE_PAGES,
    ),
    Mistake(
        "every page writes to find out whether it can", "panel/ops/write_probe.py",
        "if not (doubt or self.outage or disk_is_scarce()):", "if False:",
        OUTAGES,
    ),
    # ── The admin for an owner ───────────────────────────────────────────────────────────────────
    Mistake(
        "a table that names no group stands among those of an owner", "panel/web/admin_record.py",
        "group = INTERNALS  # of", "group = 'Orders'  # of",
        FOR_OWNERS,
    ),
    Mistake(
        "the admin asks for refills without the desk's yes", "orders/admin.py",
        "return dry_run_page(request, selection=selection, run=dry_run(selection))",
        "return jobs.start_job(selection, by=request.user)",
        FOR_OWNERS,
    ),
    Mistake(
        "the admin shows codes for statuses", "orders/admin.py",
        'return label(record.status) if record.status else "–"', "return record.status",
        FOR_OWNERS,
    ),
    Mistake(
        "a list of the admin that shows nothing does not say why", "templates/django/admin/change_list.html",
        "{% elif cl.is_narrowed %}", "{% elif cl.older %}",
        FOR_OWNERS,
    ),
    # ── Lists of the admin ───────────────────────────────────────────────────────────────────────
    Mistake(
        "a list of the admin counts a whole table", ADMIN_LIST,
        "return within(queryset, candidates[: self.model_admin.rows])", "return queryset",
        ADMIN_COST,
    ),
    Mistake(
        "a filter of the admin reads a whole table for its choices", ADMIN_LIST,
        "rows = within(model._default_manager.order_by(), newest(model)[: model_admin.rows])",
        "rows = model._default_manager.order_by()",
        ADMIN_COST,
    ),
    Mistake(
        "a filter of the admin with an index finds only new rows", ADMIN_LIST,
        "if lookup := index_lookup(queryset):", "if lookup := None:",
        ADMIN_PAGES,
    ),
    Mistake(
        "the admin finds old orders by none of their ids", ADMIN,
        'exact = [name[1:] for name in fields if name.startswith("=")]', "exact: list[str] = []",
        ADMIN_PAGES,
    ),
    Mistake(
        "a list of the admin does not lead to older rows", ADMIN_LIST,
        "candidates = candidates.filter(pk__lt=ids[0])", "pass",
        ADMIN_PAGES,
    ),
    Mistake(
        "a page of the admin shows all that belongs to a row", ADMIN_LIST,
        '.order_by("-pk")[:INLINE_ROWS]', '.order_by("-pk")',
        ADMIN_PAGES,
    ),
    # ── What people read ─────────────────────────────────────────────────────────────────────────
    Mistake(
        "a message with markup is escaped twice", "templates/base.html",
        "{{ message.message }}", "{{ message }}",
        "tests/browser/test_messages.py",
    ),
    Mistake(
        "a message is markup whatever it says", "templates/base.html",
        "{{ message.message }}", "{{ message.message|safe }}",
        "tests/browser/test_messages.py",
    ),
)  # fmt: skip
