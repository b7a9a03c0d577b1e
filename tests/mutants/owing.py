"""Mistakes that break what the requirements ask (tests/security/asvs.md): headers, files, proofs, ciphers, limits."""

from tests.mutants.mistake import Mistake

ANSWERS, CODE = "tests/security/test_answers.py", "tests/security/test_code.py"
PASSWORDS, PROOF = "tests/accounts/invitations/test_passwords.py", "tests/accounts/factors/test_proof.py"
SETTINGS = "panel/settings.py"

MISTAKES = (
    # ── Answers ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a file that a visitor sends is written to the disk", SETTINGS,
        'FILE_UPLOAD_HANDLERS = ["panel.web.uploads.NoFiles"]\n', "",
        f"{ANSWERS}::test_a_file_is_refused_before_it_reaches_the_disk",
    ),
    Mistake(
        "the answer to a delivery does not keep to TLS", "orders/webhooks/endpoint.py",
        "*only_tls().items(), ", "",
        f"{ANSWERS}::test_every_answer_keeps_browsers_to_tls_for_a_year",
    ),
    Mistake(
        "a machine is led on to https", SETTINGS,
        'SECURE_REDIRECT_EXEMPT = [r"^healthz", r"^webhooks/"]', "SECURE_REDIRECT_EXEMPT = []",
        f"{ANSWERS}::test_machines_are_not_led_on_to_https",
    ),
    Mistake(
        "the admin answers a TRACE", "panel/site/middleware.py",
        'if request.method == "TRACE":', "if False:",
        f"{ANSWERS}::test_trace_echoes_nothing",
    ),
    Mistake(
        "a picture does not say its letters", SETTINGS,
        '{".svg": "image/svg+xml; charset=utf-8"}', "{}",
        f"{ANSWERS}::test_every_file_says_its_letters_and_is_no_page",
    ),
    # ── People ───────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a proof leaves the session its key", "accounts/factors/proof.py",
        "    request.session.cycle_key()  # whoever has copied the old one has no proof by it\n", "",
        f"{PROOF}::test_a_proof_gives_the_session_another_key",
    ),
    Mistake(
        "sessions of others are ended without a proof", "accounts/sessions/views.py",
        "@require_POST\n@recently_proved\ndef endings_of(", "@require_POST\ndef endings_of(",
        f"{PROOF}::test_these_and_no_others_ask_for_a_proof",
    ),
    Mistake(
        "a long password that leaked is taken", "accounts/invitations/passwords.py",
        "has_leaked(text) or ", "",
        f"{PASSWORDS}::test_the_leaked_passwords_that_are_long_enough_are_refused",
    ),
    Mistake(
        "a person takes away everything at once", "orders/table/views.py",
        'if not throttle.has_room("exports", str(request.user.pk), most=EXPORTS_A_PERSON):', "if False:",
        "tests/orders/table/test_export.py::test_who_makes_very_many_files_waits",
    ),
    Mistake(
        "a desk with a real supplier shows the components sheet", "panel/site/components_page.py",
        "    if not settings.SANDBOX:\n        raise Http404\n", "",
        "tests/panel/site/test_components_page.py::test_a_desk_with_a_real_supplier_does_not_have_it",
    ),
    # ── Ciphers, other machines ──────────────────────────────────────────────────────────────────
    Mistake(
        "two secrets are sealed with one nonce", "accounts/factors/keys.py",
        "nonce = token_bytes(NONCE_BYTES)", "nonce = bytes(NONCE_BYTES)",
        f"{CODE}::test_secrets_are_sealed_by_authenticated_encryption",
    ),
    Mistake(
        "a database elsewhere is spoken to in the clear", "panel/ops/env.py",
        'if host not in HERE and not host.startswith("/") and mode not in SSL_MODES:', "if False:",
        "tests/panel/ops/test_settings.py::test_a_server_speaks_tls_with_other_machines",
    ),
    Mistake(
        "mail goes elsewhere in the clear", "panel/ops/env.py",
        "if not (plain or has_tls or", "if not (True or has_tls or",
        "tests/panel/ops/test_settings.py::test_a_server_speaks_tls_with_other_machines",
    ),
)  # fmt: skip
