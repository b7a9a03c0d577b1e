"""The people of the team, what they set for the whole desk, and the readings of the balance."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.access import Role, may
from accounts.models.door import DIGEST_CHARACTERS
from accounts.models.session import DeskSession
from panel.format.numbers import MARKS_OF, PLAIN
from panel.format.visible import visible
from panel.ops.database import ONLY_ROW, Select

PAGE_LENGTHS = (25, 50, 100, 200)  # rows
UNDO_SECONDS = (5, 20, 60)  # that people may choose
DAY_PAUSE = timedelta(hours=5)  # who did nothing for so long has ended a working day; no lunch takes so long
SEEN_EVERY = timedelta(minutes=1)
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone are none
READ_ALONG = ("desk_chosen", "has_factor")  # with the person of a request, as `_read_along` computes them


class DeskSettings(models.Model):
    """What managers have set for the whole desk. One row, which every process reads: accounts/desk_settings.py."""

    chosen = models.JSONField(default=dict, help_text="Name of a setting → its value, for those that somebody set.")

    class Meta:
        verbose_name_plural = "desk settings"

    def __str__(self) -> str:
        return ", ".join(f"{name}: {value}" for name, value in self.chosen.items()) or "as the environment says"


def _read_along() -> dict[str, Any]:
    chosen = DeskSettings.objects.filter(pk=ONLY_ROW).values("chosen")
    factors = Authenticator.objects.filter(user=models.OuterRef("pk"), type__in=FACTORS)
    return {"desk_chosen": models.Subquery(chosen), "has_factor": models.Exists(factors)}


class UserQuerySet(models.QuerySet["User"]):
    """Accounts, whose sessions end when they are switched off."""

    def update(self, **fields: Any) -> int:
        """Changes accounts. Whoever is switched off is signed out, so that switching on again revives no session."""
        if fields.get("is_active") is False:
            DeskSession.objects.filter(user__in=list(self.values_list("pk", flat=True))).delete()
        return super().update(**fields)


class UserManager(BaseUserManager["User"]):
    """Makes accounts."""

    def get_queryset(self) -> UserQuerySet:
        """Accounts, with an `update` that ends sessions."""
        return UserQuerySet(self.model, using=self._db)

    def note_seen(self, person: int, now: datetime) -> None:
        """Writes that the person with this id does something now, unless that was written within the last minute.

        After a pause of DAY_PAUSE or more, the last moment before it becomes the end of their last working day.
        """
        left_at = Case(When(seen_at__lte=now - DAY_PAUSE, then=F("seen_at")), default=F("left_at"))
        due = self.filter(Q(seen_at=None) | Q(seen_at__lte=now - SEEN_EVERY), pk=person)
        due.update(left_at=left_at, seen_at=now)

    def get(self, *args: Any, **kwargs: Any) -> "User":
        """One person, as each request reads its own: with the desk's settings as `desk_chosen`, and `has_factor`."""
        if not args and kwargs.keys() == {"pk"}:
            rows = self._with_facts.where("accounts_user.id = %s", [self.model._meta.pk.to_python(kwargs["pk"])])
            if not rows:
                raise self.model.DoesNotExist
            person = self.model.from_db(self.db, self._columns, rows[0][: -len(READ_ALONG)])
            vars(person).update(zip(READ_ALONG, rows[0][-len(READ_ALONG) :], strict=True))
            return person
        return self.annotate(**_read_along()).get(*args, **kwargs)

    @cached_property
    def _columns(self) -> list[str]:
        return [field.attname for field in self.model._meta.concrete_fields]

    @cached_property
    def _with_facts(self) -> Select:
        return Select(self.model, *self._columns, **_read_along())

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
    factor_asked_at = models.DateTimeField(
        "asked for a second factor", default=timezone.now, null=True, editable=False,
        help_text="When the days begin in which they can still set one up. Empty: they have none.",
    )  # fmt: skip

    limits = models.JSONField(
        default=dict, blank=True, editable=False,
        help_text="Their own: order, day → US dollars, “” for none. What is missing is as the role’s.",
    )  # fmt: skip

    # When they were here, which outlives their sessions: `UserManager.note_seen` writes it.
    seen_at = models.DateTimeField(
        "last seen", null=True, editable=False, help_text="When they last did something, to the minute."
    )
    left_at = models.DateTimeField(
        "end of the last working day", null=True, editable=False,
        help_text="The last moment before their last pause of five hours or more. Empty: there was none yet.",
    )  # fmt: skip

    # How this person reads the desk. What they do is recorded alike for everybody.
    theme = models.CharField(max_length=10, choices=Theme, blank=True, default=Theme.DEVICE)
    time_zone = models.CharField(
        max_length=60, default="", blank=True,
        help_text="As the IANA names it: Europe/Berlin. Empty: UTC, until a sign-in tells the browser’s.",
    )  # fmt: skip
    numbers = models.CharField(max_length=10, choices=[(name, name) for name in MARKS_OF], default=PLAIN)
    density = models.CharField(max_length=10, choices=Density, blank=True, default=Density.COMFORTABLE)
    page_length = models.PositiveSmallIntegerField(
        choices=[(rows, str(rows)) for rows in PAGE_LENGTHS], default=50, help_text="Rows of a list."
    )
    paused = models.BooleanField(
        "live mode", default=False, help_text="Whether pages stand still until they are loaded anew."
    )
    undo_seconds = models.PositiveSmallIntegerField(
        choices=[(0, "As the desk"), *((seconds, f"{seconds} s") for seconds in UNDO_SECONDS)], default=0,
        help_text="How long a new order can be undone; never shorter than the desk's sending delay.",
    )  # fmt: skip
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the account. Whoever is switched off is signed out, so that switching on again revives no session."""
        super().save(*args, **kwargs)
        if not self.is_active:
            DeskSession.objects.filter(user=self).delete()

    def switches(self) -> Mapping[str, str]:
        """What owners have switched, as it was read with this person; read now for a person that came otherwise."""
        if "desk_chosen" in vars(self):
            return vars(self)["desk_chosen"] or {}
        return DeskSettings.objects.filter(pk=ONLY_ROW).values_list("chosen", flat=True).first() or {}

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin lets this person in: owners only."""
        return may(self, "administer")

    def day_ended_at(self, now: datetime) -> datetime | None:
        """When this person's last working day ended, or None if this is their first.

        It is the last moment at which they did something before their last pause of DAY_PAUSE or more. Who comes back
        from such a pause moves it, and nothing that they do after that: no reload, no second device, no lunch.
        """
        paused = self.seen_at and now - self.seen_at >= DAY_PAUSE  # this request is the first after it
        return self.seen_at if paused else self.left_at

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Owners have every permission; what nobody may do (falsify a record), the admin classes refuse themselves."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """Whether Django's admin lists this app to the person: to owners all of them."""
        return self.is_staff


def note_sign_in(user: Any, **_: object) -> None:
    """The receiver of Django's signal that somebody has signed in: they are here."""
    User.objects.note_seen(user.pk, timezone.now())


user_logged_in.connect(note_sign_in, dispatch_uid="who signs in is here")


class SettingChangeManager(models.Manager["SettingChange"]):
    """Finds changes of the desk's settings."""

    def newest(self, name: str) -> "SettingChange | None":
        """The last change of this setting, or None if nobody has set it."""
        return self.filter(name=name).select_related("changed_by").order_by("-pk").first()


class SettingChange(models.Model):
    """A setting of the desk that a person changed. Values are text, as they are stored."""

    name = models.CharField(max_length=40, help_text="A key of SETTINGS in accounts/desk_settings.py.")
    was = models.CharField(max_length=100, blank=True, help_text="The value before.")
    now = models.CharField(max_length=100, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    objects: ClassVar[SettingChangeManager] = SettingChangeManager()

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The last change of each setting, for the settings page.
            models.Index(fields=["name", "-id"], name="setting_change_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.was or 'none'} → {self.now or 'none'}"


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


class PasswordLink(models.Model):
    """A link with which a person chooses their own password, once. Its token is kept as a hash alone."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    token_hash = models.CharField(max_length=DIGEST_CHARACTERS, unique=True, editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Moved to now when the link is withdrawn, or a newer one is made.")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The newest link of a person, for their page.
            models.Index(fields=["user", "-id"], name="password_link_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.made_at:%Y-%m-%d %H:%M}"
