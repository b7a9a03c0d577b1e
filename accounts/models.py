"""The people of the team, and the readings of the balance."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.access import Role, may
from panel.format.numbers import MARKS_OF, PLAIN
from panel.format.visible import visible

PAGE_LENGTHS = (25, 50, 100, 200)  # rows


class UserManager(BaseUserManager["User"]):
    """Makes accounts."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A new teammate. Without a password the account cannot sign in."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.email = self.normalize_email(user.email)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """A new owner; `manage.py createsuperuser` calls this."""
        return self.create_user(username, password, **{**fields, "role": Role.OWNER})


class Theme(models.TextChoices):
    """The colours of all pages."""

    DEVICE = "", "As the device"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Density(models.TextChoices):
    """The height of the rows in lists."""

    COMFORTABLE = "", "Comfortable"
    COMPACT = "compact", "Compact"


class User(AbstractBaseUser):
    """One person of the team. The role alone says what they may do: there are no groups and no single permissions."""

    username = models.CharField(
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "Somebody already has this username."},
    )
    name = models.CharField("shown name", max_length=80, blank=True, help_text="As the team calls them.")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(
        "active", default=True, help_text="Switch off instead of deleting: what they did keeps their name."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    # How this person reads the desk. What they do is recorded alike for everybody.
    theme = models.CharField(max_length=10, choices=Theme, blank=True, default=Theme.DEVICE)
    time_zone = models.CharField(max_length=60, default="UTC", help_text="As the IANA names it: Europe/Berlin.")
    numbers = models.CharField(max_length=10, choices=[(name, name) for name in MARKS_OF], default=PLAIN)
    density = models.CharField(max_length=10, choices=Density, blank=True, default=Density.COMFORTABLE)
    page_length = models.PositiveSmallIntegerField(
        choices=[(rows, str(rows)) for rows in PAGE_LENGTHS], default=50, help_text="Rows of a list."
    )
    columns = models.JSONField(default=list, blank=True, help_text="Of the orders table, in order; empty: the usual.")
    pinned = models.JSONField(default=list, blank=True, editable=False, help_text="Ids of the views shown as tabs.")
    unpinned = models.JSONField(
        default=list, blank=True, editable=False, help_text="Ids of the team's views that are not shown as tabs."
    )

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        ordering = ("username",)
        constraints = [
            # Signing in ignores capitals: with an Ana and an ana, neither could sign in.
            models.UniqueConstraint(
                Lower("username"),
                name="one_person_per_username",
                violation_error_message="Somebody already has this username.",
            ),
            # Signing in by e-mail must name one person.
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="one_person_per_email",
                violation_error_message="Somebody already has this e-mail address.",
            ),
        ]

    def __str__(self) -> str:
        return visible(self.name) or self.username

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin lets this person in: owners only."""
        return may(self, "administer")

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Owners have every permission; what nobody may do (falsify a record), the admin classes refuse themselves."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """Whether Django's admin lists this app to the person: to owners all of them."""
        return self.is_staff


class BalanceReadingQuerySet(models.QuerySet["BalanceReading"]):
    """Readings of the balance by their times."""

    def at(self, at: datetime) -> "BalanceReading | None":
        """The last reading that upstream gave at this moment or before, or None."""
        later = self.filter(asked_at__gte=at).order_by("asked_at", "id").first()
        if later and later.first_asked_at <= at:
            return later
        return self.filter(asked_at__lt=at).order_by("-asked_at", "-id").first()


class BalanceReading(models.Model):
    """What upstream said the balance is. When it says the same again, only `asked_at` moves."""

    amount = models.DecimalField(max_digits=18, decimal_places=6)
    currency = models.CharField(max_length=10, default="USD")
    first_asked_at = models.DateTimeField(help_text="When upstream first said so.")
    asked_at = models.DateTimeField(help_text="When it last said so.")

    objects: ClassVar[BalanceReadingQuerySet] = BalanceReadingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The reading of a moment, and the chart of the last days.
            models.Index(fields=["asked_at", "id"], name="balance_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"
