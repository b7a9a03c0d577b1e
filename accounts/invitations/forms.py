"""The forms in which an owner invites a person, and a person chooses a password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.password_validation import validate_password

from accounts.models import User


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new person of the team. They have no password until they choose one."""

    class Meta:
        model = User
        fields = ("username", "name", "email", "role")
        labels = {"name": "Shown name", "email": "E-mail"}
        help_texts = {"username": "They sign in with it.", "name": "As the team calls them.",
                      "email": "They can sign in with it too."}  # fmt: skip

    def clean_email(self) -> str:
        """The address as it is compared: the host in small letters."""
        return User.objects.normalize_email(self.cleaned_data["email"])

    def save(self, commit: bool = True) -> User:
        """The new person, who cannot sign in yet."""
        return User.objects.create_user(**self.cleaned_data)


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
