"""The team for owners: invite, change a role, switch off. Nobody is deleted: what they did keeps their name."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.access import Role
from accounts.models import BalanceReading, User
from panel.web.admin_record import RecordAdmin, SturdyAdmin


class TeammateForm(UserChangeForm):  # type: ignore[type-arg]
    """Refuses the change that would lock everybody out."""

    class Meta:
        model = User
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == Role.OWNER and cleaned.get("is_active")
        # Locked, so that two owners who demote each other at once do not both succeed.
        owners = User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk").select_for_update()
        if not stays and {owner.pk for owner in owners} <= {self.instance.pk}:
            raise ValidationError("This is the last active owner. Make somebody else an owner first.")
        return cleaned


class InvitationForm(UserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username", "name", "email", "role")


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Without Django's offer to have no password at all: here it is the only way in, for the last owner too."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields.pop("usable_password", None)


@admin.register(User)
class TeamAdmin(SturdyAdmin, UserAdmin):  # type: ignore[type-arg]
    form = TeammateForm
    add_form = InvitationForm
    change_password_form = NewPasswordForm
    list_display = ("username", "name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "email", "role", "is_active")}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "email", "role", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BalanceReading)
class BalanceReadingAdmin(RecordAdmin):
    list_display = ("amount", "currency", "first_asked_at", "asked_at")
