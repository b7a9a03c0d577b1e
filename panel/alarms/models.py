"""Tables of the alarms: each alarm, who has seen it in the desk, who is told and how, and each message."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from panel.alarms.kinds import KINDS, Kind, kind_of
from panel.alarms.quiet_hours import quiet_until
from panel.format.times import clock, zone_named

# Facts of an alarm that follows others about the same pile: the id of the first of them, and when that was raised.
BEGAN_WITH, BEGAN_AT = "began_with", "began_at"
ONLY_WHILE_OPEN = ("told", "before")  # facts that an alarm remembers until it is over


class AlarmQuerySet(models.QuerySet["Alarm"]):
    """Queries for alarms that are open, and for the page."""

    def open(self) -> Self:
        """Alarms that are not over."""
        return self.filter(ended_at=None)

    def over(self) -> Self:
        """Alarms that are over: ended, and none that an open alarm follows, for what that told of may still stand."""
        over = self.filter(ended_at__isnull=False)
        for alarm in Alarm.objects.open().filter(facts__has_key=BEGAN_WITH):
            over = over.exclude(kind=alarm.kind, subject=alarm.subject, pk__gte=alarm.facts[BEGAN_WITH])
        return over

    def for_page(self) -> Self:
        """Alarms with all that their rows show, newest first, in as many queries for one as for fifty.

        Adds `told`, the number of recipients told that it began, and `untold`, the notices that fail or were given up.
        """
        untold = models.Prefetch("notices", Notice.objects.untold().select_related("to__user"), to_attr="untold")
        # Counted for each alarm that is shown: counted over a join, those of all alarms would be counted first.
        sent = Notice.objects.filter(alarm=models.OuterRef("pk"), sent_at__isnull=False, over=False).order_by()
        count = models.Func("pk", function="COUNT", output_field=models.IntegerField())
        told = models.Subquery(sent.annotate(count=count).values("count"))
        seen = models.Prefetch("sightings", Sighting.objects.select_related("user"))
        return self.annotate(told=told).prefetch_related(untold, seen).order_by("-id")


class Alarm(models.Model):
    """Something that somebody should know of. It is raised once, however long it lasts."""

    kind = models.CharField(max_length=20)
    subject = models.CharField(
        max_length=200, blank=True, help_text="Which of its kind; empty: there is one at a time."
    )
    facts = models.JSONField(default=dict, help_text="What its sentence is made of, as last found.")
    raised_at = models.DateTimeField()
    calm_since = models.DateTimeField(null=True, help_text="Open, but not found standing since then.")
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[AlarmQuerySet] = AlarmQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Two workers that find the same raise one alarm. Also finds the open alarms, for every page's status bar.
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=models.Q(ended_at=None), name="one_open_alarm"
            )
        ]
        indexes = [
            # What is open, newest first. `ended_at` stands in it, or SQLite would rather read all by their ids.
            models.Index(fields=["ended_at", "-id"], condition=models.Q(ended_at=None), name="alarm_open"),
            # For the page: alarms that are over, newest first, by keyset.
            models.Index(fields=["-id"], condition=models.Q(ended_at__isnull=False), name="alarm_over"),
        ]

    def __str__(self) -> str:
        return f"{self.about.title}: {self.calm_sentence or self.sentence}"

    @property
    def about(self) -> Kind:
        """The row of KINDS that says what this kind of alarm is called and where it leads."""
        return kind_of(self.kind)

    @property
    def sentence(self) -> str:
        """What the alarm says, in the reader's numbers and times."""
        return self.about.sentence(self.facts)

    @property
    def calm_sentence(self) -> str:
        """What is said of an open alarm whose condition is no longer found, or "" while it stands."""
        if self.calm_since is None or self.ended_at or not self.over_sentence:
            return ""
        return f"{self.over_sentence} Seen at {clock(self.calm_since)}; if it stays so, this alarm ends soon."

    @property
    def first_told_at(self) -> datetime | None:
        """When the first of the alarms that it follows was raised, or None where it follows none."""
        return datetime.fromisoformat(self.facts[BEGAN_AT]) if BEGAN_AT in self.facts else None

    @property
    def over_sentence(self) -> str:
        """What is told when the alarm is over, or "" when that is not worth a message."""
        return self.about.over(self.facts)


class Sighting(models.Model):
    """A person has marked an alarm as seen in the desk."""

    # No index of its own: the constraint below begins with it.
    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="sightings", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            # Pressing twice makes one sighting. Also finds whether a person has seen an alarm, for every status bar.
            models.UniqueConstraint(fields=["alarm", "user"], name="one_sighting_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.alarm_id}"


class Channel(models.TextChoices):
    """How a message is sent."""

    MAIL = "mail", "e-mail"
    CHAT = "chat", "the chat"


class RecipientQuerySet(models.QuerySet["Recipient"]):
    """Queries for the choices of a person, of the chat, and of everybody who is told of a kind of alarm."""

    def of(self, user: Any) -> "Recipient":
        """A person's choices; a new Recipient that is not saved while they have made none."""
        return self.filter(user=user).first() or Recipient(user=user)

    def chat_to_show(self) -> "Recipient":
        """The chat's choices. While nobody has made any: every kind, because a desk with a chat wants to be told."""
        return self.filter(user=None).first() or Recipient(user=None, kinds=list(KINDS), over_too=True)

    def chat(self) -> "Recipient":
        """The chat's choices, saved."""
        chat = self.chat_to_show()
        if chat.pk is None:
            self.bulk_create([chat], ignore_conflicts=True)
        return self.get(user=None)

    def who_want(self, kind: str) -> "list[Recipient]":
        """The recipients who chose this kind of alarm and can be reached."""
        if settings.ALARM_WEBHOOK_URL:
            self.chat()
        everybody = self.select_related("user").order_by("id")
        return [recipient for recipient in everybody if not recipient.why_not(kind)]


class Recipient(models.Model):
    """What a person, or the team's chat, has chosen: of which kinds of alarm they are told, and when not."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: the chat."
    )
    kinds = models.JSONField(default=list, blank=True)
    over_too = models.BooleanField(default=False, help_text="Also told when it is over.")
    quiet_from = models.TimeField(null=True, help_text="From here on nothing is sent; empty: no quiet hours.")
    quiet_until = models.TimeField(null=True)
    serious_anyway = models.BooleanField(default=False, help_text="Serious ones are sent in quiet hours too.")
    time_zone = models.CharField(max_length=60, default="UTC", help_text="The chat's; a person has their own.")

    objects: ClassVar[RecipientQuerySet] = RecipientQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("id",)
        constraints = [
            # Two workers that both make the chat's row make one.
            models.UniqueConstraint(models.Value(1), condition=models.Q(user=None), name="one_chat"),
            # Quiet hours have two ends or none.
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_from_and_until",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user) if self.user_id else "The chat"

    @property
    def channel(self) -> Channel:
        """E-mail for a person, otherwise the chat."""
        return Channel.MAIL if self.user_id else Channel.CHAT

    def why_not(self, kind: str) -> str:
        """Why this recipient is not told of this kind of alarm, in a sentence; "" when they are."""
        if kind not in self.kinds:
            return "No longer wanted."
        if self.user is None:
            return "" if settings.ALARM_WEBHOOK_URL else "No chat is set."
        if not self.user.is_active:
            return "The account is switched off."
        if not self.user.email:
            return "The account has no e-mail address."
        return "" if settings.EMAIL_CONFIGURED else "This desk sends no e-mail."

    def quiet_until_for(self, kind: str, now: datetime) -> datetime | None:
        """When this recipient's quiet hours end for this kind of alarm, or None if it may be sent now."""
        if self.quiet_from is None or self.quiet_until is None or (self.serious_anyway and kind_of(kind).serious):
            return None
        zone = self.user.time_zone if self.user else self.time_zone
        return quiet_until(now, self.quiet_from, self.quiet_until, zone_named(zone))

    def choose(self, **choices: Any) -> None:
        """Saves these choices, by the names of the columns. Quiet hours need both ends or none."""
        for name, value in choices.items():
            setattr(self, name, value)
        self.save()


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Queries for notices that fail, and for the next one to send."""

    def untold(self) -> Self:
        """Notices of an alarm's beginning that could not be sent yet, or were given up."""
        return self.filter(over=False, failing_since__isnull=False, sent_at=None)

    def claim(self, now: datetime, lease: timedelta) -> "Notice | None":
        """Hands one due notice to this worker and to no other until the lease ends, and counts an attempt."""
        while notice := self.filter(due_at__lte=now).order_by("due_at", "id").first():
            as_read = self.filter(pk=notice.pk, due_at=notice.due_at)
            if as_read.update(due_at=now + lease, attempts=notice.attempts + 1):
                return self.select_related("alarm", "to__user").get(pk=notice.pk)
        return None


class Notice(models.Model):
    """One message to one recipient about one alarm. It is stored together with the alarm and sent afterwards.

    It is marked as sent only after it was sent, so a crash in between sends it again, and none is lost.
    """

    # No index of its own: the constraint below begins with it.
    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="notices", db_index=False)
    to = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(max_length=4, choices=Channel)
    over = models.BooleanField(default=False, help_text="Says that the alarm is over.")
    due_at = models.DateTimeField(null=True, help_text="When a worker sends it; while one does, when its claim ends.")
    attempts = models.PositiveIntegerField(default=0, help_text="Tries that the recipient may have heard.")
    failing_since = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True, help_text="The moment that its words are of.")
    dropped_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True, help_text="What went wrong last, or why it was never sent.")

    objects: ClassVar[NoticeQuerySet] = NoticeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Nobody is told twice of the same thing.
            models.UniqueConstraint(fields=["alarm", "to", "over"], name="one_notice_a_recipient"),
            # A notice waits, or was sent, or is not to be sent any more.
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=False, sent_at=None, dropped_at=None)
                | models.Q(due_at=None, sent_at__isnull=False, dropped_at=None)
                | models.Q(due_at=None, sent_at=None, dropped_at__isnull=False),
                name="notice_waits_or_is_done",
            ),
        ]
        indexes = [
            # For the worker: what is due?
            models.Index(fields=["due_at", "id"], condition=models.Q(due_at__isnull=False), name="notice_due"),
        ]

    def __str__(self) -> str:
        return f"{self.alarm_id} to {self.to_id}"

    def settle(self, **fields: Any) -> bool:
        """Ends this worker's claim with these columns. False when the claim had run out and another worker has it."""
        return bool(Notice.objects.filter(pk=self.pk, due_at=self.due_at).update(**fields))


class Watch(models.Model):
    """When the alarms are evaluated next. One row; the worker that moves `due_at` on evaluates them."""

    due_at = models.DateTimeField(default=timezone.now)
    looked_at = models.DateTimeField(null=True, help_text="When a look last came to its end.")

    class Meta:
        verbose_name_plural = "watch"

    def __str__(self) -> str:
        return f"Looked at {self.looked_at}"
