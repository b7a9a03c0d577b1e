"""The two pages on which owners set limits: of the whole desk and its roles, and of one person."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import desk_settings
from accounts.access import Role, needs
from accounts.factors.proof import recently_proved
from accounts.models import SettingChange, User
from accounts.settings_form import SettingsForm
from accounts.sign_in.record import record_door
from orders.limits.check import OWN, limits_of, own_limits
from orders.limits.day import desk_day, next_day
from orders.limits.form import LABELS, PersonLimitsForm
from orders.limits.spent import last_days, today_of

CHANGES_SHOWN = 20
DAYS_SHOWN = 14
ORDERING = (Role.OPERATOR, Role.MANAGER, Role.OWNER)  # viewers place no orders
COLUMNS = {"order_limit": "One order", "day_limit": "A day", "approve_from": "Approval from"}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people")
@recently_proved
def desk(request: HttpRequest) -> HttpResponse:
    """The limits of each role, of the team, and of services on hold; 422 when something is wrong."""
    data = request.POST if request.method == "POST" else None
    form = SettingsForm(data, chosen=desk_settings.stored(), by=request.user, page="limits")
    saved = form.save(by=request.user)  # type: ignore[arg-type]
    if saved is not None:
        messages.success(request, "Saved. The limits hold from now on." if saved else "Nothing was changed.")
        return redirect("limits")
    now = timezone.now()
    changes = SettingChange.objects.filter(name__in=list(form.settings)).select_related("changed_by")
    of_roles = [f"{role}_{column}" for role in ORDERING for column in COLUMNS]
    context = {
        "form": form, "settings": form.settings, "words_of": desk_settings.words_of, "columns": COLUMNS,
        "roles": ORDERING, "others": [name for name in form.settings if name not in of_roles], "anew": next_day(now),
        "changes": changes[:CHANGES_SHOWN],
        "people": people_with_own(), "labels": LABELS, "limit_words": desk_settings.limit_words,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "orders/limits/desk.html", context, status=status)


def people_with_own() -> list[tuple[User, Mapping[str, Decimal | None]]]:
    """The people of the team who may order, with the limits of their own that they have."""
    people = User.objects.filter(is_active=True, role__in=ORDERING).order_by("name", "username")
    return [(person, own_limits(person.limits)) for person in people]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people")
@recently_proved
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's own limits and what they spent lately; 422 when something is wrong."""
    of = get_object_or_404(User, pk=pk)
    usual = limits_of(User(role=of.role))._asdict()
    data = request.POST if request.method == "POST" else None
    form = PersonLimitsForm(data, kept=of.limits, usual=usual)
    if form.is_valid():
        changed = set_limits(of, form.wanted, request)
        messages.success(request, f"Saved. {of} may spend this from now on." if changed else "Nothing was changed.")
        return redirect("person_limits", pk)
    now = timezone.now()
    since = desk_day(now) - timedelta(days=DAYS_SHOWN - 1)
    spent = last_days(of.pk, since)
    context: dict[str, Any] = {
        "person": of, "form": form, "labels": LABELS, "limits": limits_of(of), "today": today_of(of.pk, now),
        "anew": next_day(now),
        "days": [(day, spent.get(day, Decimal(0))) for day in (since + timedelta(days=n) for n in range(DAYS_SHOWN))],
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "orders/limits/person.html", context, status=status)


def set_limits(of: User, wanted: dict[str, str], request: HttpRequest) -> bool:
    """Sets a person's own limits and records who did it. Returns whether anything changed."""
    with transaction.atomic():
        kept = User.objects.select_for_update(no_key=True).values_list("limits", flat=True).get(pk=of.pk)
        if kept == wanted:
            return False
        User.objects.filter(pk=of.pk).update(limits=wanted)
        record_door("limits_set", of, request, was=words_of(kept), now=words_of(wanted))
    return True


def words_of(kept: Mapping[str, str]) -> str:
    """A person's own limits in words, for the record."""
    own = own_limits(kept)
    said = [f"{LABELS[name].lower()} {desk_settings.limit_words(own[name])}" for name in OWN if name in own]
    return ", ".join(said) or "as the role"
