"""The team in Django's admin, where owners change roles and switch accounts off. Nobody is deleted."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator

from accounts.access import ACTIONS, Role, is_on
from accounts.desk_settings import ALL, label_of
from accounts.factors.proof import recently_proved
from accounts.factors.rule import is_required
from accounts.models import (
    BalanceReading,
    ChainHead,
    ChainLink,
    ChainWatch,
    DeskSession,
    DeskSettings,
    DoorEvent,
    KnownDevice,
    PasswordLink,
    SettingChange,
    SignInCount,
    User,
)
from accounts.sign_in.record import kind_of
from accounts.team.change import record_change as record_role
from accounts.team.change import record_switch, why_no_owner_left
from accounts.trail.record import record_change, what_changed
from panel.format.money import money
from panel.web.admin_groups import MONEY, PEOPLE, SYSTEM
from panel.web.admin_record import RecordAdmin, SturdyAdmin, nobody_may


class TeammateForm(UserChangeForm):  # type: ignore[type-arg]
    """Changes an account; refuses the change that would leave the desk without an active owner."""

    class Meta:
        model = User
        fields = "__all__"
        exclude = ("password",)

    password = None  # type: ignore[assignment]  # Django's way to leave the field out

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        stays_owner = cleaned.get("role") == Role.OWNER and bool(cleaned.get("is_active"))
        if why := why_no_owner_left(self.instance, stays_owner=stays_owner):
            raise ValidationError(why)
        return cleaned


@admin.register(User)
class TeamAdmin(SturdyAdmin, UserAdmin):  # type: ignore[type-arg]
    """The people of the team. They are switched off rather than deleted, so that what they did keeps their name."""

    group = PEOPLE
    leads = True
    names = ("person", "people")
    form = TeammateForm
    list_display = ("username", "name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "name", "email")
    filter_horizontal = ()
    readonly_fields = ("rights", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "name", "email", "role", "rights", "is_active")}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    has_add_permission = nobody_may  # people are invited, on the desk

    @admin.display(description="May")
    def rights(self, person: User) -> str:
        """What the person may do, by the table of accounts/access.py and what owners have switched in it."""
        switched = person.switches()
        return "; ".join(row.title for action, row in ACTIONS.items() if is_on(person.role, action, switched))

    def get_urls(self) -> list[Any]:
        """Without Django's page on which one person types the password of another."""
        return [path for path in super().get_urls() if path.name != "auth_user_password_change"]

    @method_decorator(recently_proved)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Django's page of one person. To change a role, or to switch an account, takes a proof."""
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Saves the person. Whose new role needs a second factor get the days in full to set one up."""
        if "role" in form.changed_data and is_required(obj):
            obj.factor_asked_at = timezone.now()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            changed = set(form.changed_data)
            if "role" in changed:
                record_role(obj, request, was=form.initial["role"])
            if "is_active" in changed:
                record_switch(obj, request)
            if others := changed - {"role", "is_active"}:
                facts = what_changed(
                    {name: form.initial.get(name) for name in others},
                    {name: form.cleaned_data[name] for name in others},
                )
                record_change("person_changed", by=request.user, person=obj, label=str(obj), **facts)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.display(description="Balance", ordering="amount")
def balance_of(reading: BalanceReading) -> str:
    """The amount in its currency."""
    return money(reading.amount, reading.currency)


admin.site.register(
    BalanceReading,
    RecordAdmin,
    group=MONEY,
    leads=True,
    names=("balance reading", "balance readings"),
    field_names={"first_asked_at": "first seen", "asked_at": "last seen"},
    list_display=(balance_of, "first_asked_at", "asked_at"),
    on_desk=lambda reading: reverse("balance"),
)


@admin.display(description="Setting", ordering="name")
def setting_of(change: SettingChange) -> str:
    """The setting's name on its page; a setting that is no more has only its own."""
    return label_of(change.name)


@admin.display(description="Set on the desk")
def chosen_of(settings: DeskSettings) -> str:
    """Each setting that somebody set, and its value."""
    return ", ".join(
        f"{setting.label}: {settings.chosen[name]}" for name, setting in ALL.items() if name in settings.chosen
    )


admin.site.register(
    DeskSettings,
    RecordAdmin,
    group=SYSTEM,
    names=("settings of the desk", "settings of the desk"),
    list_display=(chosen_of,),
    on_desk=lambda settings: reverse("settings"),
)
admin.site.register(
    SettingChange,
    RecordAdmin,
    group=SYSTEM,
    names=("change of a setting", "changes of settings"),
    list_display=("changed_at", setting_of, "was", "now", "changed_by"),
    list_filter=("changed_at",),
    list_select_related=("changed_by",),
)
admin.site.register(
    PasswordLink,
    RecordAdmin,
    group=PEOPLE,
    names=("link to choose a password", "links to choose a password"),
    list_display=("user", "made_by", "made_at", "expires_at", "used_at"),
    list_select_related=("user", "made_by"),
    on_desk=lambda link: reverse("person", args=[link.user_id]),
)


@admin.display(description="What", ordering="kind")
def title_of(event: DoorEvent) -> str:
    """What this kind of event is called."""
    return kind_of(event).title


admin.site.register(
    DoorEvent,
    RecordAdmin,
    group=PEOPLE,
    names=("event at the door", "events at the door"),
    list_display=("at", title_of, "person", "by", "address", "device"),
    list_filter=("at",),
    list_select_related=("person", "by"),
    on_desk=lambda event: reverse("security"),
)
admin.site.register(
    ChainLink,
    RecordAdmin,
    group=SYSTEM,
    names=("link of the trail’s chain", "links of the trail’s chain"),
    list_display=("number", "first_id", "last_id", "lines", "sealed_at", "key"),
    on_desk=lambda link: reverse("activity"),
)
admin.site.register(
    ChainHead,
    RecordAdmin,
    group=SYSTEM,
    names=("end of the trail’s chain", "end of the trail’s chain"),
    list_display=("number", "last_id", "lines", "sealed_at", "key"),
    on_desk=lambda head: reverse("activity"),
)
admin.site.register(
    ChainWatch,
    RecordAdmin,
    group=SYSTEM,
    names=("watch over the trail", "watch over the trail"),
    list_display=("looked_at", "walked_at", "walked_lines", "broken_since"),
    on_desk=lambda watch: reverse("activity"),
)
# What could open a session or vouch for a device is shown to nobody, not even as a hash.
admin.site.register(
    DeskSession,
    RecordAdmin,
    group=PEOPLE,
    names=("session", "sessions"),
    field_names={"began_at": "signed in at", "used_at": "last used at"},
    exclude=("digest", "session_data"),
    list_display=("used_at", "user", "device", "address", "began_at"),
    list_select_related=("user",),
    on_desk=lambda session: reverse("sessions_of", args=[session.user_id]) if session.user_id else None,
)
admin.site.register(
    KnownDevice,
    RecordAdmin,
    group=PEOPLE,
    names=("known device", "known devices"),
    field_names={"first_at": "first sign-in", "last_at": "last sign-in", "mail_due_at": "e-mail to be sent at"},
    exclude=("digest",),
    list_display=("last_at", "user", "device", "address", "first_at"),
    list_select_related=("user",),
)
admin.site.register(
    SignInCount,
    RecordAdmin,
    names=("count of tries", "counts of tries"),
    exclude=("key",),
    list_display=("tries", "ends_at"),
)
