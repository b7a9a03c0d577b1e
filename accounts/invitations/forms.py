"""The forms in which an owner invites a person, and a person chooses a password."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.password_validation import validate_password

from accounts.desk_settings import limit_words, plain, read_limit
from accounts.invitations.links import INVITATION_FOR
from accounts.models import User

LINK_DAYS = (1, 3, 7, 14)
AS_ROLE = "Empty: as the role’s."
SUM_CHARACTERS = 30
LIMITS = {"order": "one order", "day": "a day"}  # the limits of a person’s own, as they are kept, and their words


class LimitField(forms.CharField):
    """A limit in US dollars as a person types it; None where none is typed."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, max_length=SUM_CHARACTERS, help_text=AS_ROLE)

    def clean(self, value: Any) -> Any:
        """The sum. Raises a ValidationError with a sentence for what is none."""
        try:
            return read_limit(super().clean(value))
        except ValueError as wrong:
            raise forms.ValidationError(str(wrong)) from None


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new person of the team. They have no password until they choose one."""

    order_limit = LimitField("Most for one order, in US dollars")
    day_limit = LimitField("Most for a day, in US dollars")
    expires = forms.TypedChoiceField(
        label="The link works for", coerce=int, initial=INVITATION_FOR.days,
        choices=[(days, f"{days} day{'s' * (days > 1)}") for days in LINK_DAYS],
    )  # fmt: skip

    class Meta:
        model = User
        fields = ("username", "name", "email", "role")
        labels = {"name": "Shown name", "email": "E-mail"}
        help_texts = {"username": "They sign in with it.", "name": "As the team calls them.",
                      "email": "They can sign in with it too."}  # fmt: skip

    def __init__(self, data: Any = None, **facts: Any) -> None:
        if data is not None:  # a page from before the desk was updated does not send the days
            data = {"expires": str(INVITATION_FOR.days), **data.dict()}
        super().__init__(data, **facts)

    def clean_email(self) -> str:
        """The address as it is compared: the host in small letters."""
        return User.objects.normalize_email(self.cleaned_data["email"])

    @property
    def link_lasts(self) -> timedelta:
        """How long the link works; for a valid form only."""
        return timedelta(days=self.cleaned_data["expires"])

    @property
    def limits(self) -> dict[str, str]:
        """The limits of the person’s own, as they are kept on the account; for a valid form only."""
        sums = {name: self.cleaned_data[f"{name}_limit"] for name in LIMITS}
        return {name: plain(limit) for name, limit in sums.items() if limit is not None}

    @property
    def limits_in_words(self) -> str:
        """`one order $10.00, a day $40.00`, for the record."""
        return ", ".join(f"{LIMITS[name]} {limit_words(Decimal(limit))}" for name, limit in self.limits.items())

    def save(self, commit: bool = True) -> User:
        """The new person, who cannot sign in yet. Their limits hold from their first order on."""
        facts = {name: self.cleaned_data[name] for name in self._meta.fields or ()}
        return User.objects.create_user(**facts, limits=self.limits)


class ChooseForm(SetPasswordForm):  # type: ignore[type-arg]
    """A password of one's own, twice, so that a slip of the finger locks nobody out."""

    error_messages = {"password_mismatch": "The two passwords are not the same. Type or paste it once more."}

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["new_password1"].label, self.fields["new_password2"].label = "New password", "The same again"
        for field in self.fields.values():
            field.help_text = ""
            field.widget.attrs["class"] = "in-t"

    def clean_new_password1(self) -> str:
        """The password. Raises a ValidationError with a sentence for each rule that refuses it."""
        password: str = self.cleaned_data["new_password1"]
        validate_password(password, self.user)
        return password

    def validate_password_for_user(self, user: Any, password_field_name: str = "") -> None:
        """Nothing: Django would tell of the first field below the second."""
