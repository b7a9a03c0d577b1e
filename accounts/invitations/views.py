"""The pages on which owners invite people and make links, and the two on which a link is opened and used."""

from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.factors.forms import ResetForm
from accounts.factors.proof import recently_proved
from accounts.factors.reset import reset
from accounts.invitations import links, mail
from accounts.invitations.forms import ChooseForm, InvitationForm
from accounts.models import PasswordLink, User
from accounts.sign_in.record import record_door
from accounts.team.person import person_page
from accounts.trail.record import record_change
from panel.format.times import clock

OPENED = "password_link"  # in the session of whoever opened a link: its id, for the token stands nowhere
OPENS, MAKES = "has added you to the team of Order Desk", "has made you a link to a new password at Order Desk"
MAIL = (
    "{by} {did}. Choose your password here:\n\n{url}\n\n"
    "The link works once, until {until}. You sign in as {username}. If you did not expect this, tell {by}.\n"
)
RESET_MAIL = (
    "{by} has reset your second factor at Order Desk: {reason}\n\nAt your next sign-in you set up a new one. "
    "If you did not ask for this, tell {by} at once.\n"
)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people")
@recently_proved
def invite(request: HttpRequest) -> HttpResponse:
    """Adds a person and shows their link, once; 422 when something is wrong."""
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                person = form.save()
                added = {"role": person.role, "username": person.username}
                record_change("person_added", by=request.user, person=person, label=str(person), **added)
                if person.limits:
                    record_door("limits_set", person, request, was="as the role", now=form.limits_in_words)
                made = make_link(request, person, lasts=form.link_lasts)
            return link_once(request, *made)
        except IntegrityError:  # pressed twice, or two owners at once
            form.add_error("username", User._meta.get_field("username").error_messages["unique"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(request, "accounts/invitations/invite.html", {"form": form}, status=status)


@needs("people")
@require_POST
@recently_proved
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a link for this person and shows it, once."""
    of = get_object_or_404(User, pk=pk)
    if not of.is_active:
        messages.warning(request, f"{of} is switched off. A link would not work.")
        return redirect("person", pk)
    return link_once(request, *make_link(request, of))


@transaction.atomic
def make_link(request: HttpRequest, of: User, *, lasts: timedelta | None = None) -> tuple[PasswordLink, str]:
    """A new link for this person and its token. It is recorded that there is one."""
    made = links.make(of, by=request.user, lasts=lasts)
    record_door("invitation_made", of, request)
    return made


def link_once(request: HttpRequest, link: PasswordLink, token: str) -> HttpResponse:
    """Sends the link where mail is configured, and shows it in the answer to the press that made it, nowhere else."""
    desk = settings.DESK_URL or f"{request.scheme}://{request.get_host()}"
    url = f"{desk}{reverse('invitation')}?t={token}"
    did = MAKES if link.user.has_usable_password() else OPENS
    words = {
        "by": request.user,
        "did": did,
        "url": url,
        "until": clock(link.expires_at),
        "username": link.user.username,
    }
    sent = mail.send(link.user.email, "Choose your password", MAIL.format(**words))
    context = {"link": link, "address": url, "sent": sent, "could_send": settings.EMAIL_CONFIGURED and link.user.email}
    return render(request, "accounts/invitations/link.html", context)


@needs("people")
@require_POST
@recently_proved
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends the link that this person was given."""
    of = get_object_or_404(User, pk=pk)
    with transaction.atomic():
        if links.withdraw(of):
            record_door("invitation_withdrawn", of, request)
    messages.success(request, "The link is withdrawn. It works no more.")
    return redirect("person", pk)


@needs("people")
@require_POST
@recently_proved
def reset_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes this person's second factor away, for a reason that they are told; 422 without one."""
    of, form = get_object_or_404(User, pk=pk), ResetForm(request.POST)
    if not form.is_valid():
        return person_page(request, of, HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    reason = form.cleaned_data["reason"]
    if why := reset(of, by=request.user, reason=reason, request=request):
        messages.warning(request, why)
    else:
        mail.send(of.email, "Your second factor was reset", RESET_MAIL.format(by=request.user, reason=reason))
        messages.success(request, f"{of} has no second factor any more, and sets up a new one if the role needs it.")
    return redirect("person", pk)


@require_safe
def open_link(request: HttpRequest) -> HttpResponse:
    """Where a link leads. Uses nothing up: it remembers in the session that it was opened, and leaves the address.

    No page is shown here, so that no Referer, history or bookmark holds the token, not even of a link that is spent.
    """
    if link := links.find(request.GET.get("t", "")):
        request.session[OPENED] = link.pk
    else:
        request.session.pop(OPENED, None)
    return redirect("choose_password")


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """The person chooses a password, which uses the link up; then they sign in with it, in all the usual steps."""
    link = links.by_id(request.session.get(OPENED))
    if link is None:
        return gone(request)
    form = ChooseForm(link.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        first = not link.user.has_usable_password()
        with transaction.atomic():
            if not links.use(link, form.cleaned_data["new_password1"]):
                return gone(request)
            record_door("invitation_used" if first else "password_reset", link.user, request)
        logout(request)  # of whoever was signed in here: the next page is for the person of the link
        messages.success(request, f"Your password is set. Sign in with it as {link.user.username}.")
        return redirect("account_login")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(request, "accounts/invitations/choose.html", {"form": form, "person": link.user}, status=status)


def gone(request: HttpRequest) -> HttpResponse:
    """The page of a link that works no more, or never did: both look alike."""
    return render(request, "accounts/invitations/gone.html", status=HTTPStatus.GONE)
