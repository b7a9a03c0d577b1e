"""Mistakes at the door: guesses that are not counted, colleagues who are locked out, sessions that live on."""

from tests.mutants.mistake import Mistake

FLOOD = "tests/accounts/sign_in/test_flood.py"
RECORD = "tests/accounts/sign_in/test_record.py"
SESSIONS = "tests/accounts/sessions/test_sessions.py"
LOGS = "tests/panel/ops/test_logs.py"
FORM = "tests/orders/placing/test_order_form.py"
DEVICES = "tests/panel/worker/test_new_devices.py"
THROTTLE, STORE = "accounts/sign_in/throttle.py", "accounts/sessions/store.py"

MISTAKES = (
    # ── Guesses ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a guess is hashed before it is counted", "accounts/adapter.py",
        "        self.entrance.enter()\n", "        pass\n",
        f"{FLOOD}::test_neighbours_in_one_ipv6_network_are_counted_as_one",
    ),
    Mistake(
        "each address of an IPv6 network is counted by itself", "panel/web/visitor.py",
        "NETWORK_BITS = 64", "NETWORK_BITS = 128",
        f"{FLOOD}::test_neighbours_in_one_ipv6_network_are_counted_as_one",
    ),
    Mistake(
        "an address has as many guesses as it knows names", THROTTLE,
        'Count(key_of("address", network), ADDRESS_TRIES)',
        'Count(key_of("address", network, attempt.account), ADDRESS_TRIES)',
        f"{FLOOD}::test_a_flood_writes_few_rows",
    ),
    Mistake(
        "a flood from many addresses has no bound", THROTTLE,
        "DESK_TRIES = 300", "DESK_TRIES = 300_000",
        f"{FLOOD}::test_a_flood_from_very_many_addresses_is_bounded_too",
    ),
    Mistake(
        "strangers lock out a device that is known", THROTTLE,
        "    if attempt.known_device:\n", "    if False:\n",
        f"{FLOOD}::test_a_flood_from_very_many_addresses_is_bounded_too",
    ),
    Mistake(
        "strangers lock out an address that is known", THROTTLE,
        "    if attempt.known_address:\n", "    if False:\n",
        f"{FLOOD}::test_a_flood_from_very_many_addresses_is_bounded_too",
    ),
    Mistake(
        "strangers lock out whoever comes from a new address", THROTTLE,
        '    ways.append([*stranger, Count(key_of("account from", attempt.account, network), 1)])\n', "",
        f"{FLOOD}::test_a_flood_costs_few_hashes_and_the_owner_signs_in_meanwhile",
    ),
    Mistake(
        "any cookie of a device has a count of its own", "accounts/sign_in/devices.py",
        "return any(digest == kept for kept, _ in pairs)", "return bool(digest)",
        f"{FLOOD}::test_a_forged_or_stolen_cookie_of_another_account_is_no_known_device",
    ),
    Mistake(
        "two tries at once both take the last", THROTTLE,
        ".tries < %s RETURNING", ".tries <= %s RETURNING",
        f"{FLOOD}::test_tries_at_once_do_not_both_take_the_last",
    ),
    Mistake(
        "a count never begins anew", THROTTLE,
        "ends_at <= %s THEN 1 ELSE", "ends_at <= %s THEN 99 ELSE",
        f"{FLOOD}::test_tries_at_once_do_not_both_take_the_last",
    ),
    Mistake(
        "an e-mail address that somebody has costs two hashes", "panel/settings.py",
        '"accounts.sign_in.backend.OneHashBackend"', '"allauth.account.auth_backends.AuthenticationBackend"',
        f"{FLOOD}::test_each_try_costs_one_hash",
    ),
    Mistake(
        "the table tells which names were tried", THROTTLE,
        'return salted_hmac("accounts.sign_in.throttle", "\\0".join(parts), algorithm="sha256").hexdigest()',
        'return " ".join(parts)[:64]',
        f"{FLOOD}::test_the_table_tells_no_name_and_no_address",
    ),
    Mistake(
        "each refusal is a row of the record", "accounts/sign_in/entrance.py",
        "            if taken.first:\n", "            if True:\n",
        f"{FLOOD}::test_a_flood_writes_few_rows",
    ),
    # ── The record ───────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a failure is not recorded", "accounts/adapter.py",
        "else attempt.failed()", "else None",
        RECORD,
    ),
    Mistake(
        "forbidden requests of one person fill the table", "accounts/sign_in/record.py",
        'if throttle.has_room("forbidden", str(person.pk), most=FORBIDDEN_ROWS):', "if True:",
        RECORD,
    ),
    Mistake(
        "an owner's deed is the person's own", "accounts/sign_in/record.py",
        "and actor != user else None", "and actor == user else None",
        RECORD,
    ),
    Mistake(
        "a manager reads the record", "accounts/sign_in/views.py",
        '@needs("people")\ndef security', '@needs("decide")\ndef security',
        RECORD,
    ),
    Mistake(
        "everybody's first device is news", "accounts/sign_in/devices.py",
        "return devices.exists() and not", "return not",
        f"{RECORD} {DEVICES}",
    ),
    Mistake(
        "a person is told of a new device twice", "panel/worker/new_devices.py",
        "    if not row.filter(mail_due_at=device.mail_due_at).update(**claim):\n", "    if not row.update(**claim):\n",
        DEVICES,
    ),
    # ── Sessions ─────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a poll keeps a session alive", "accounts/sessions/activity.py",
        'return request.method in ("GET", "HEAD") and wants_fragment(request)', "return False",
        SESSIONS,
    ),
    Mistake(
        "each request writes that the session is used", "accounts/sessions/activity.py",
        "    if now - row.used_at < WRITTEN_EVERY:\n        return\n", "",
        SESSIONS,
    ),
    Mistake(
        "a session that nobody uses stays", "accounts/models/session.py",
        "filter(ends_at__gt=now, used_at__gt=idle, ", "filter(ends_at__gt=now, ",
        SESSIONS,
    ),
    Mistake(
        "a session that is used stays for ever", "accounts/models/session.py",
        "used_at__gt=idle, began_at__gt=oldest)", "used_at__gt=idle)",
        SESSIONS,
    ),
    Mistake(
        "the table holds the keys of sessions", "accounts/models/door.py",
        'return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()', "return secret[:64]",
        SESSIONS,
    ),
    Mistake(
        "a session that was ended is written anew", STORE,
        "                raise UpdateError\n", "                self.create()\n",
        SESSIONS,
    ),
    Mistake(
        "anybody ends anybody's session", "accounts/sessions/views.py",
        'if session.user_id != request.user.pk and (why := why_not(request.user, "people")):', "if why := \"\":",
        SESSIONS,
    ),
    Mistake(
        "switched off and on again, a session lives on", "accounts/models/people.py",
        "        if not self.is_active:\n            DeskSession.objects.filter(user=self).delete()\n", "",
        SESSIONS,
    ),
    Mistake(
        "a browser keeps the pages of whoever has signed out", "accounts/sessions/activity.py",
        "        if session.ended and session.is_empty():\n", "        if False:\n",
        SESSIONS,
    ),
    Mistake(
        "a form proves for ever whom it was made for", "orders/placing/views.py",
        "salt=MADE_FOR_SALT, max_age=MADE_FOR_SECONDS))", "salt=MADE_FOR_SALT))",
        FORM,
    ),
    Mistake(
        "a stolen proof fills the database", "orders/placing/views.py",
        'if not throttle.has_room("kept form", str(person_id), most=KEPT_FORMS_A_PERSON):', "if False:",
        FORM,
    ),
    # ── The log ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a path forges a line of the log", "panel/ops/logs.py",
        "return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)", "return text",
        LOGS,
    ),
    Mistake(
        "a forbidden request logs a trace", "panel/ops/logs.py",
        "            record.exc_info = record.exc_text = None\n", "            pass\n",
        LOGS,
    ),
    Mistake(
        "a line does not say who asked", "panel/site/middleware.py",
        "        also(person=person_id(request))\n", "",
        LOGS,
    ),
)  # fmt: skip
