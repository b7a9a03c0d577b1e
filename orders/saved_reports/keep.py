"""Saves a report under a name, changes and removes it, and notes who wants it by e-mail every Monday."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.trail.record import record_change, what_changed
from orders.models import ReportMail, SavedView
from orders.rules.refusal import NotAllowed, Refusal
from orders.table.saved_views import cleaned_name, described, view_errors
from panel.format.locale import written_for
from panel.format.times import day, starts

SENT_AT_HOUR = timedelta(hours=7)  # of Monday, on the person's clock
WEEK = timedelta(days=7)
NO_MAIL = "This desk sends no e-mail, because no mail server is set."
NO_ADDRESS = "Your account has no e-mail address. An owner of the desk can add one under Team."
SAME_NAME = "You have a saved report or view of this name already."


def save(name: str, query: str, *, shared: bool, by: Any) -> SavedView:
    """Saves a report's address under a name. Raises a Refusal with a sentence for the form."""
    view = SavedView(owner=by, name=cleaned_name(name), query=query, shared=shared, is_report=True)
    check(view)
    with transaction.atomic():
        view.save()
        record_change("report_saved", by=by, thing="view", thing_id=view.pk, label=view.name, after=described(view))
    return view


def change(view: SavedView, *, by: Any, name: str, query: str, shared: bool) -> None:
    """Changes what a saved report is called, what it shows and who sees it. The same again changes nothing."""
    require_changeable(view, by)
    was = described(view)
    view.name, view.query, view.shared = cleaned_name(name), query, shared
    check(view)
    changed = what_changed(was, described(view))
    if changed["before"]:
        with transaction.atomic():
            view.save(update_fields=["name", "query", "shared"])
            record_change("report_changed", by=by, thing="view", thing_id=view.pk, label=view.name, **changed)


def remove(view: SavedView, *, by: Any) -> None:
    """Deletes a saved report, and with it all its mails."""
    require_changeable(view, by)
    with transaction.atomic():
        record_change("report_removed", by=by, thing="view", thing_id=view.pk, label=view.name, before=described(view))
        view.delete()


def set_mail(view: SavedView, *, wanted: bool, by: Any, now: datetime) -> None:
    """Notes whether this person wants the report by e-mail every Monday. The same again changes nothing."""
    if wanted and not settings.EMAIL_CONFIGURED:
        raise Refusal(NO_MAIL)
    if wanted and not by.email:
        raise Refusal(NO_ADDRESS)
    with transaction.atomic():
        if wanted:
            due_at = next_monday(now, by.time_zone)
            _, changed = ReportMail.objects.get_or_create(view=view, person=by, defaults={"due_at": due_at})
        else:
            changed = bool(ReportMail.objects.filter(view=view, person=by).delete()[0])
        if changed:
            kind = "report_mail_on" if wanted else "report_mail_off"
            record_change(kind, by=by, thing="view", thing_id=view.pk, label=view.name)


def next_monday(after: datetime, time_zone: str) -> datetime:
    """The next Monday at SENT_AT_HOUR on the clock of this time zone."""
    with written_for(time_zone, ""):
        begins = day(after)
        monday = begins + timedelta(days=-begins.weekday())
        due_at = starts(monday) + SENT_AT_HOUR
        return due_at if due_at > after else starts(monday + WEEK) + SENT_AT_HOUR


def check(view: SavedView) -> None:
    """Raises a Refusal with why this report cannot be saved; with nothing if it can."""
    others = SavedView.objects.filter(owner=view.owner_id, name=view.name).exclude(pk=view.pk)
    if view.name and others.exists():
        raise Refusal(SAME_NAME)
    if errors := view_errors(view):
        raise Refusal(" ".join(errors))


def require_changeable(view: SavedView, by: Any) -> None:
    """Raises NotAllowed unless this person may change the saved report."""
    if why := view.why_no_change(by):
        raise NotAllowed(why)
