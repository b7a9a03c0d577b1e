"""Asks a person who has been signed in for a while to prove that it is still them, before what matters is done.

A view says so with `@recently_proved`, below `@needs`. The page that asks carries along all that was sent, and posts it
to the same address with the proof: nothing that was typed is lost, and nothing is done twice.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.contrib.auth.signals import user_logged_in
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from accounts.factors.forms import ProofCodeForm, ProofPasskeyForm
from accounts.factors.record import listen
from accounts.sign_in.record import record_door

View = Callable[..., HttpResponseBase]

PROOF_SECONDS = 10 * 60  # a sign-in or a proof is good for so long
PROVED_AT = "proved_at"  # in the session: seconds since 1970
PASSWORD, CODE, PASSKEY, READS = "proof_password", "proof_code", "proof_passkey", "proof_reads"
OURS = (PASSWORD, CODE, PASSKEY, READS, "csrfmiddlewaretoken")
TOO_MANY = "Too many tries. Wait a few minutes, then try again."


def remember(request: HttpRequest, **_: object) -> None:
    """Remembers that the person has proved now who they are. A sign-in does that too."""
    request.session[PROVED_AT] = time.time()


listen()
user_logged_in.connect(lambda request, **_: remember(request), dispatch_uid="a sign-in is a proof", weak=False)


def is_proved(request: HttpRequest) -> bool:
    """Whether this session's person has signed in or proved themselves within the last minutes."""
    at = request.session.get(PROVED_AT)
    return isinstance(at, float) and 0 <= time.time() - at < PROOF_SECONDS


def recently_proved(view: View) -> View:
    """Guards what a POST to this view does. The page that it shows needs no proof."""
    return guarded_by_proof(view, reads=False)


def proved_to_read(view: View) -> View:
    """Guards all of a view: also its page, where that shows or begins something secret."""
    return guarded_by_proof(view, reads=True)


def guarded_by_proof(view: View, *, reads: bool) -> View:
    """Asks for a proof first where there is none; then the view gets what was sent, as it was sent."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        writes = request.method == "POST"
        if not (writes or reads):
            return view(request, *args, **kwargs)
        if writes and any(name in request.POST for name in (PASSWORD, CODE, PASSKEY)):
            if not is_proved(request) and (wrong := why_no_proof(request)):
                return ask(request, wrong)
            if READS in request.POST:
                return HttpResponseRedirect(request.get_full_path())
            request.POST = without_proof(request)
        return view(request, *args, **kwargs) if is_proved(request) else ask(request)

    guarded.asks_for_proof = True  # type: ignore[attr-defined]  # for the test of every URL
    return guarded


def without_proof(request: HttpRequest) -> Any:
    """What was sent, without the fields of the proof."""
    sent = request.POST.copy()
    for name in OURS[:-1]:
        sent.pop(name, None)
    return sent


def why_no_proof(request: HttpRequest) -> str:
    """Checks the proof that was sent, and remembers it; "" when it is right, else why not, as a sentence."""
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return TOO_MANY
    form, field = proof_form(request)
    if not form.is_valid():
        return str(next(iter(form.errors.get(field, ["This is not right. Try again."]))))
    if field == "password":
        reauthenticate_by_password(request)
    else:
        form.save()  # type: ignore[attr-defined]
    request.session.cycle_key()  # whoever has copied the old one has no proof by it
    remember(request)
    record_door("reauthenticated", request.user, request)
    return ""


def proof_form(request: HttpRequest) -> tuple[Form, str]:
    """allauth's form for the kind of proof that was sent, and the name of its field."""
    sent, user = request.POST, request.user
    if sent.get(PASSKEY):
        return ProofPasskeyForm(user=user, data={"credential": sent[PASSKEY]}), "credential"
    if sent.get(CODE):
        return ProofCodeForm(user=user, data={"code": sent[CODE]}), "code"
    return ReauthenticateForm(user=user, data={"password": sent.get(PASSWORD, "")}), "password"


def ask(request: HttpRequest, wrong: str = "") -> HttpResponse:
    """The page that asks for a proof, with everything that was sent in it."""
    kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    carried = [(name, value) for name, values in request.POST.lists() if name not in OURS for value in values]
    context = {
        "carried": carried,
        "reads": request.method != "POST" or READS in request.POST,
        "wrong": wrong,
        "path": request.get_full_path(),
        "has_codes": bool(kinds - {Authenticator.Type.WEBAUTHN}),
        "passkey": begin_authentication(request.user) if Authenticator.Type.WEBAUTHN in kinds else None,
    }
    return render(request, "accounts/factors/proof.html", context)
