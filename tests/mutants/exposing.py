"""Mistakes that would show something to those whom it does not concern, or let a look change something."""

from tests.mutants.mistake import Mistake

KEY, HEADERS = "tests/panel/upstream/test_key.py", "tests/panel/site/test_headers.py"
MIDDLEWARE = "panel/site/middleware.py"

MISTAKES = (
    Mistake(
        "notes are read by a link in a message", "orders/teamwork/views.py",
        '    context = {"mentions": shown_mentions, "unread": unread, "older": older}\n',
        "    Mention.objects.filter(note_id__in=unread).update(read_at=timezone.now())\n"
        '    context = {"mentions": shown_mentions, "unread": unread, "older": older}\n',
        "tests/panel/test_safe_methods.py",
    ),
    Mistake(
        "one reads the notes to others", "orders/teamwork/views.py",
        "Mention.objects.to(request.user).filter(note_id__in=notes, read_at=None)",
        "Mention.objects.filter(note_id__in=notes, read_at=None)",
        "tests/orders/teamwork/test_notes.py",
    ),
    Mistake(
        "the headers only on what Django’s views answer", "panel/settings.py",
        '    "panel.site.middleware.headers",\n    "panel.site.middleware.no_plain_http",\n',
        '    "panel.site.middleware.no_plain_http",\n',
        HEADERS,
    ),
    Mistake(
        "a page that stays in the browser’s cache", "panel/web/headers.py",
        '    "Cache-Control": "no-store",', '    "Cache-Control": "private",',
        HEADERS,
    ),
    Mistake(
        "a form without TLS is redirected by the desk", MIDDLEWARE,
        'or request.method in ("GET", "HEAD"):', "or True:",
        HEADERS,
    ),
    Mistake(
        "readiness tells strangers of the supplier", "panel/site/views.py",
        "    if of_the_team:\n", "    if True:\n",
        "tests/panel/site/test_health.py",
    ),
    Mistake(
        "a pasted key that stands in a longer word", "panel/upstream/key.py",
        "range(len(run) - length + 1)", "range(len(run) == length)",
        KEY,
    ),
    Mistake(
        "a pasted key in an address", MIDDLEWARE,
        "(*fields_of(request.GET), *posted_fields(request))", "posted_fields(request)",
        KEY,
    ),
    Mistake(
        "web servers keep the key that they were given", "panel/ops/start.py",
        '        settings.NOTPANEL_API_KEY = ""\n', "",
        KEY,
    ),
    Mistake(
        "a new SECRET_KEY makes the API key a new one", "panel/upstream/client.py",
        'record_key("" if settings.SANDBOX else settings.NOTPANEL_API_KEY, now)',
        'record_key("" if settings.SANDBOX else settings.NOTPANEL_API_KEY + settings.SECRET_KEY[:20], now)',
        KEY,
    ),
    Mistake(
        "a short SECRET_KEY on a server", "panel/settings.py",
        '    env.refuse_weak("SECRET_KEY", SECRET_KEY)\n', "",
        "tests/panel/ops/test_settings.py",
    ),
    Mistake(
        "a write-ahead log that everybody can read", "panel/ops/connections.py",
        'SQLITE_FILES = ("", "-wal", "-shm")', 'SQLITE_FILES = ("",)',
        "tests/panel/ops/test_connections.py",
    ),
    Mistake(
        "a sandbox beside a real key", "panel/management/commands/sandbox.py",
        "        refuse_beside_a_key()\n", "",
        "tests/panel/test_beside_a_key.py",
    ),
    Mistake(
        "each key waits with an import of its own", "static/desk.js",
        "    coming ??= import(keys);", "    coming = import(keys);",
        "tests/browser/test_keys.py",
    ),
)  # fmt: skip
