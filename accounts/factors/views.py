"""The pages on which people see and change their own second factors, and the second step of a sign-in."""

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.base.internal.flows import delete_and_cleanup
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import generate_recovery_codes
from allauth.mfa.totp.internal.flows import activate_totp
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.internal.flows import add_authenticator
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.factors.forms import ALONE
from accounts.factors.proof import proved_to_read, recently_proved
from accounts.factors.rule import due_at, has_factor, is_required, is_shut_out
from accounts.sign_in.record import record_door

APP, CODES, PASSKEY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES, Authenticator.Type.WEBAUTHN


@require_safe
@needs("view")
def factors(request: HttpRequest) -> HttpResponse:
    """A person's own second factors, and whether and until when they need one."""
    mine = list(Authenticator.objects.filter(user=request.user).order_by("created_at", "pk"))
    codes = next((each for each in mine if each.type == CODES), None)
    context = {
        "app": next((each for each in mine if each.type == APP), None),
        "passkeys": [each for each in mine if each.type == PASSKEY],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "required": is_required(request.user),
        "due": due_at(request.user),
        "shut": is_shut_out(request.user),
    }
    return render(request, "accounts/factors/index.html", context)


class AppView(ActivateTOTPView):  # type: ignore[misc]
    """Setting up an authenticator app: its code to scan, and then the recovery codes, once."""

    template_name = "accounts/factors/app.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Switches the app on."""
        try:
            _, codes = activate_totp(self.request, form)
        except IntegrityError:  # pressed twice: the other press has set one up
            return redirect("factors")
        record_door("factor_added", self.request.user, self.request)
        return added(self.request, codes)


class PasskeyView(AddWebAuthnView):  # type: ignore[misc]
    """Adding a passkey of this device or of a key."""

    template_name = "accounts/factors/passkey.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Keeps the passkey, and whether it may be the only step of a sign-in."""
        sent = form.cleaned_data
        with transaction.atomic():
            passkey, codes = add_authenticator(self.request, name=sent["name"], credential=sent["credential"])
            passkey.data[ALONE] = sent["passwordless"]
            passkey.save(update_fields=["data"])
        record_door("passkey_added", self.request.user, self.request)
        return added(self.request, codes)


def added(request: HttpRequest, codes: Authenticator | None) -> HttpResponse:
    """After the first factor the page with its recovery codes, and else the list."""
    request.user.has_factor = True  # type: ignore[union-attr]  # it was read before this was so
    if codes:
        return codes_once(request, codes)
    messages.success(request, "Added. It signs you in from now on.")
    return redirect("factors")


def codes_once(request: HttpRequest, codes: Authenticator) -> HttpResponse:
    """The page that shows recovery codes. It is the answer to the press that made them, and is never shown again."""
    return render(request, "accounts/factors/codes.html", {"codes": codes.wrap().get_unused_codes()})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
@recently_proved
def new_codes(request: HttpRequest) -> HttpResponse:
    """Asks whether to make new recovery codes; a POST makes them, and the old ones work no more."""
    if not has_factor(request.user):
        return redirect("factors")
    if request.method != "POST":
        return render(request, "accounts/factors/new_codes.html")
    codes = generate_recovery_codes(request)
    record_door("recovery_codes_made", request.user, request)
    return codes_once(request, codes)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
@recently_proved
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks whether to remove an app or a passkey of one's own; a POST does. With the last one the codes go too."""
    factor = get_object_or_404(Authenticator.objects.exclude(type=CODES), pk=pk, user=request.user)
    if request.method != "POST":
        last = not Authenticator.objects.exclude(pk=pk).exclude(type=CODES).filter(user=request.user).exists()
        context = {"factor": factor, "last": last, "required": is_required(request.user)}
        return render(request, "accounts/factors/removal.html", context)
    with transaction.atomic():
        delete_and_cleanup(request, factor)
    record_door("passkey_removed" if factor.type == PASSKEY else "factor_removed", request.user, request)
    messages.success(request, "Removed. It signs you in no more.")
    return redirect("factors")


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """The second step of a sign-in: a code or a passkey."""

    template_name = "accounts/factors/second_step.html"


class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]
    """Signs in by a passkey alone. A script posts the form twice: for the challenge, which waits in a session, and with
    the passkey's answer.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Leads to the sign-in page: nothing begins by a look."""
        return redirect("account_login")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The challenge as JSON where the form has no answer yet. allauth gives each address ten in a minute."""
        if request.POST.get("credential") or not get_account_adapter().is_ajax(request):
            return super().post(request, *args, **kwargs)  # type: ignore[no-any-return]
        return JsonResponse({"request_options": begin_authentication(user=None)})


BOTH = ["GET", "HEAD", "POST"]
app = require_http_methods(BOTH)(needs("view")(proved_to_read(AppView.as_view())))
passkey = require_http_methods(BOTH)(needs("view")(proved_to_read(PasskeyView.as_view())))
second_step = require_http_methods(BOTH)(SecondStep.as_view())
passkey_sign_in = require_http_methods(BOTH)(PasskeySignIn.as_view())
