"""Mistakes at the start: settings that are let through, and what is missing told nowhere."""

from tests.mutants.mistake import Mistake

ENV = "panel/ops/env.py"
START = "panel/ops/start.py"
SETTINGS = "panel/settings.py"
TEST_SETTINGS = "tests/panel/ops/test_settings.py"
TEST_START = "tests/panel/ops/test_start.py"
TEST_MACHINE = "tests/panel/ops/test_machine.py"

MISTAKES = (
    Mistake(
        "the desk's insides are shown by default beside a real key", SETTINGS,
        'if DEBUG and not SANDBOX and not env.text("DEBUG"):', "if False:",
        TEST_SETTINGS,
    ),
    Mistake(
        "an empty DEBUG counts as asked for", SETTINGS,
        'not SANDBOX and not env.text("DEBUG"):', 'not SANDBOX and env.source.ENVIRON.get("DEBUG") is None:',
        TEST_SETTINGS,
    ),
    Mistake(
        "a file without its key means the sandbox", ENV,
        "    if not value and os.environ.get(file):", "    if False:",
        TEST_SETTINGS,
    ),
    Mistake(
        "a secret in place of its path is repeated", ENV,
        'if path.startswith("/") else', "if path else",
        TEST_SETTINGS,
    ),
    Mistake(
        "any database will do", ENV,
        "    if not (engine and separated):", "    if False:",
        TEST_SETTINGS,
    ),
    Mistake(
        "a bare / in a password ends the host", ENV,
        'misread = "@" in behind or', "misread =",
        TEST_SETTINGS,
    ),
    Mistake(
        "orders are kept in memory where a file's name is missing", ENV,
        'if path == ":memory:" and not raw.endswith(path):', "if False:",
        TEST_SETTINGS,
    ),
    Mistake(
        "a start that fails ends in a traceback", START,
        "except (ImproperlyConfigured, DatabaseError) as trouble:", "except KeyboardInterrupt as trouble:",
        f"{TEST_START}::test_a_command_does_not_start",
    ),
    Mistake(
        "a migration that failed is told to be run", START,
        'if sys.argv[1:2] != ["migrate"]:', "if True:",
        f"{TEST_START}::test_a_migration_that_fails_says_why_and_not_to_run_it",
    ),
    Mistake(
        "a web server with wrong settings starts again and again", "panel/wsgi.py",
        "told_in_a_sentence(exit_code=start.APP_LOAD_ERROR)", "told_in_a_sentence()",
        f"{TEST_START}::test_a_web_server_does_not_start",
    ),
    Mistake(
        "a worker goes round on a database without its columns", "panel/management/commands/worker.py",
        "if lacks := unmigrated():", 'if lacks := "":',
        f"{TEST_START}::test_a_worker_does_not_begin_while_one_migration_is_missing",
    ),
    Mistake(
        "a desk without its style sheets is ready", "panel/site/views.py",
        "    if no_pages := uncollected():", '    if no_pages := "":',
        f"{TEST_START}::test_without_its_files_the_desk_is_unready_and_still_answers",
    ),
    Mistake(
        "a page without its style sheets is a 500", "panel/site/views.py",
        "    why = uncollected()\n", '    why = ""\n',
        f"{TEST_START}::test_without_its_files_every_page_says_to_collect_them",
    ),
    Mistake(
        "a deployment check forgets the style sheets", "panel/ops/checks.py",
        "    if not (why := uncollected()):", '    if not (why := ""):',
        f"{TEST_START}::test_the_check_notices_what_was_not_collected",
    ),
    Mistake(
        "a list of collected files is believed", START,
        "name not in hashed or not staticfiles_storage.exists(hashed[name])", "name not in hashed",
        f"{TEST_START}::test_the_check_notices_what_was_not_collected",
    ),
    Mistake(
        "a Unix socket is noticed at the first sign-in only", START,
        "== {socket.AF_UNIX}", "== {socket.AF_INET6}",
        f"{TEST_START}::test_a_unix_socket_without_a_proxy_is_told_at_the_start",
    ),
    # ── What the tests need ──────────────────────────────────────────────────────────────────────
    Mistake(
        "a browser that does not start is taken", "tests/chromium.py",
        "        if starts(path):", "        if path:",
        f"{TEST_MACHINE}::test_the_first_browser_that_starts_is_taken",
    ),
    Mistake(
        "a browser is downloaded although one is installed", "tests/machine.py",
        'if NEEDS["browser"] in missing and NEEDS["driver"] not in missing:', 'if NEEDS["browser"] in wanted:',
        f"{TEST_MACHINE}::test_what_is_missing_is_got_where_it_can_be_had",
    ),
    Mistake(
        "a run that may leave nothing out passes without its browser tests", "tests/conftest.py",
        "    if os.environ.get(NOTHING_LEFT_OUT) and left_out(session.config) and", "    if False and",
        f"{TEST_MACHINE}::test_where_nothing_may_be_left_out_the_run_fails",
    ),
    Mistake(
        "what was left out is told nowhere", "tests/conftest.py",
        "    for reason in sorted(set(reasons)):", "    for reason in ():",
        f"{TEST_MACHINE}::test_without_a_browser_the_rest_passes_and_the_last_lines_say_what_was_left_out",
    ),
)  # fmt: skip
