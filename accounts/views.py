"""Each person's preferences, and the settings of the whole desk."""

from decimal import Decimal
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import desk_settings
from accounts.access import needs, why_not
from accounts.factors.proof import recently_proved
from accounts.models import SettingChange
from accounts.preferences import PreferencesForm, set_paused, zone_of
from accounts.settings_form import SettingsForm
from panel.format.locale import written_for

CHANGES_SHOWN = 20  # the latest of all settings


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
def preferences(request: HttpRequest) -> HttpResponse:
    """A person's own preferences; a POST saves them, and comes back with status 422 when something cannot be chosen."""
    form = PreferencesForm(request.POST) if request.method == "POST" else PreferencesForm.of(request.user)
    if form.is_valid():
        form.save(request.user)
        messages.success(request, "Saved. Every page is written for you like this from now on.")
        return redirect("preferences")
    context = {"form": form, "desk_delay": desk_settings.desk_delay(), **sample_context()}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/preferences.html", context, status=status)


@needs("view")
@require_POST
def live(request: HttpRequest) -> HttpResponse:
    """Remembers whether this person's pages are paused; the page that asks has paused or gone on already."""
    set_paused(request.user, request.POST.get("paused") == "yes")
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_safe
@needs("view")
def sample(request: HttpRequest) -> HttpResponse:
    """A number, an amount and a time, written as the address asks: the preferences as chosen and not saved yet."""
    with written_for(zone_of(request.GET.get("time_zone", "")), request.GET.get("numbers", "")):
        return render(request, "accounts/_sample.html", sample_context())


def sample_context() -> dict[str, object]:
    """What `accounts/_sample.html` shows: a number, an amount in USD, and the time now."""
    return {"count": 12_480, "amount": Decimal("1234.5"), "at": timezone.now()}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
@recently_proved
def settings(request: HttpRequest) -> HttpResponse:
    """What holds for the whole desk, and who set it. A manager's POST changes it; 422 when something is wrong."""
    if request.method == "POST" and (why := why_not(request.user, "settings")):
        raise PermissionDenied(why)
    data = request.POST if request.method == "POST" else None
    form = SettingsForm(data, chosen=desk_settings.stored(), by=request.user)
    changes = form.save(by=request.user)  # type: ignore[arg-type]
    if changes is not None:
        messages.success(request, "Saved. It holds from now on, for everybody." if changes else "Nothing was changed.")
        return redirect("settings")
    elsewhere = [name for name in desk_settings.SETTINGS if name not in form.settings]  # limits, which only owners see
    context = {
        "form": form,
        "settings": form.settings,
        "words_of": desk_settings.words_of,
        "label_of": desk_settings.label_of,
        "last": {name: SettingChange.objects.newest(name) for name in form.settings},
        "changes": SettingChange.objects.exclude(name__in=elsewhere).select_related("changed_by")[:CHANGES_SHOWN],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/settings.html", context, status=status)
