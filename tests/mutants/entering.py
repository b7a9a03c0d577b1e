"""Mistakes about second factors, links and proofs: ways in that must not be there, and ways in that must."""

from tests.mutants.mistake import Mistake

FACTORS, INVITATIONS = "tests/accounts/factors", "tests/accounts/invitations"
FORMS = "accounts/factors/forms.py"
GATE = "accounts/factors/gate.py"
KEYS = "accounts/factors/keys.py"
LINKS = "accounts/invitations/links.py"
PASSWORDS = "accounts/invitations/passwords.py"
PROOF = "accounts/factors/proof.py"
RESET = "accounts/factors/reset.py"
RULE = "accounts/factors/rule.py"
VIEWS = "accounts/invitations/views.py"

MISTAKES = (
    Mistake(
        "a code of the app works twice", FORMS,
        "if not counters or max(counters) <= row.data.get(LAST_COUNTER, 0):", "if not counters:",
        f"{FACTORS}/test_second_step.py",
    ),
    Mistake(
        "a passkey that is a second step signs in alone", FORMS,
        "        if not passkey.data.get(ALONE):", "        if False:",
        f"{FACTORS}/test_second_step.py",
    ),
    Mistake(
        "an answer that no passkey gives is a 500", FORMS,
        "    except Exception as trouble:", "    except KeyboardInterrupt as trouble:",
        f"{FACTORS}/test_second_step.py::test_an_answer_that_no_passkey_gives_signs_nobody_in",
    ),
    Mistake(
        "a secret waits in the session in the clear", FORMS,
        "context.request.session[auth.SECRET_SESSION_KEY] = keys.encrypt(self.secret)",
        "context.request.session[auth.SECRET_SESSION_KEY] = self.secret",
        f"{FACTORS}/test_own_factors.py",
    ),
    Mistake(
        "secrets of second factors are stored in the clear", "accounts/factors/adapter.py",
        "        return keys.encrypt(text)", "        return text",
        f"{FACTORS}/test_second_step.py {FACTORS}/test_keys.py",
    ),
    Mistake(
        "a secret that cannot be read is an empty one, whose codes everybody can work out", KEYS,
        "        return b32encode(token_bytes(SECRET_BYTES)).decode()", '        return ""',
        f"{FACTORS}/test_keys.py",
    ),
    Mistake(
        "an old key reads nothing any more", KEYS,
        "texts = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)", "texts = (settings.SECRET_KEY,)",
        f"{FACTORS}/test_keys.py",
    ),
    Mistake(
        "the days of a second factor never end", RULE,
        "    return due is not None and due <= (now or timezone.now())", "    return False",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "recovery codes alone count as a second factor", "accounts/models/people.py",
        "FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)", "FACTORS = tuple(Authenticator.Type)",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "the admin is open to those who must set up a second factor", GATE,
        "request.resolver_match.view_name in OPEN:",
        'request.resolver_match.view_name in OPEN or request.path.startswith("/admin/"):',
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "a manager lifts the rule", "accounts/settings_form.py",
        "for name in self.fixed | unsent:", "for name in unsent:",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "whom it is newly asked of get no days", "accounts/desk_settings.py",
        'if changed.name == "factor_from":', "if False:",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "after a reset the password alone is enough for days", RESET,
        "filter(pk=user.pk).update(factor_asked_at=None)", "filter(pk=user.pk).update(is_active=True)",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "an owner resets themselves", RESET,
        "    if by is not None and by.pk == user.pk:", "    if False:",
        f"{FACTORS}/test_rule.py",
    ),
    Mistake(
        "a proof never grows old", PROOF,
        "isinstance(at, float) and 0 <= time.time() - at < PROOF_SECONDS", "isinstance(at, float)",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "any proof will do", PROOF,
        "if not is_proved(request) and (wrong := why_no_proof(request)):", "if remember(request):",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "what was typed is lost on the way to the proof", PROOF,
        "for name, values in request.POST.lists() if name not in OURS for value in values]", "for name, value in ()]",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "guesses of a proof are not counted", PROOF,
        'if not ratelimit.consume(request, action="reauthenticate", user=request.user):', "if False:",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "a role is changed in the admin without a proof", "accounts/admin.py",
        "    @method_decorator(recently_proved)\n", "",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "sending is stopped without a proof", "orders/placing/views.py",
        "@recently_proved\ndef stop(", "def stop(",
        f"{FACTORS}/test_proof.py",
    ),
    Mistake(
        "a link works twice", LINKS,
        "if not usable(now).filter(pk=link.pk).update(used_at=now):", "if not usable(now).filter(pk=link.pk).exists():",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "a link works for ever", LINKS,
        "filter(used_at=None, expires_at__gt=now, user__is_active=True)", "filter(used_at=None, user__is_active=True)",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "a link lets in whoever is switched off", LINKS,
        "expires_at__gt=now, user__is_active=True)", "expires_at__gt=now)",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "the token of a link is stored", LINKS,
        "token_hash=digest_of(token), made_by=by", "token_hash=token[:64], made_by=by",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "an older link still works beside a newer one", LINKS,
        "        withdraw(user, at=now)\n", "",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "a mail scanner uses the link up", VIEWS,
        "        request.session[OPENED] = link.pk\n",
        "        request.session[OPENED] = link.pk\n        PasswordLink.objects.update(used_at=link.made_at)\n",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "a log tells the token of a link", "panel/ops/logs.py",
        'return TOKEN.sub(r"\\1…", line)', "return line",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "whoever was signed in stays so after another person chose a password", VIEWS,
        "        logout(request)  # of whoever", "        # of whoever",
        f"{INVITATIONS}/test_links.py",
    ),
    Mistake(
        "a known password with digits added is taken", PASSWORDS,
        "    bare = text.strip(ENDS)\n    return {once", "    bare = text\n    return {once",
        f"{INVITATIONS}/test_passwords.py",
    ),
    Mistake(
        "letters written as digits hide a known password", PASSWORDS,
        'return NOT_LETTERS.sub("", text.translate(LEET))', 'return NOT_LETTERS.sub("", text)',
        f"{INVITATIONS}/test_passwords.py",
    ),
    Mistake(
        "the person's own name is a password", PASSWORDS,
        "(host_words(), OF_HOST), (own_words(user), OF_PERSON)):", "(host_words(), OF_HOST)):",
        f"{INVITATIONS}/test_passwords.py",
    ),
    Mistake(
        "an owner types the password of another", "accounts/admin.py",
        'if path.name != "auth_user_password_change"]', "if path]",
        "tests/accounts/test_admin.py",
    ),
)  # fmt: skip
