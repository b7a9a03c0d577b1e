"""A saved report is mailed every Monday to who ticked it, once, with what that person may see at that moment."""

import smtplib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail as outbox_of
from django.core.mail.backends.locmem import EmailBackend

from accounts.access import Role
from accounts.models import DeskSettings, User
from orders.models import Customer, ReportMail, SavedView
from orders.saved_reports import letter
from orders.saved_reports.keep import NO_ADDRESS, NO_MAIL, next_monday
from panel.alarms import mail as mail_server
from panel.ops.database import ONLY_ROW
from panel.worker import report_mails
from panel.worker.report_mails import GIVEN_UP_AFTER, NOT_SEEN, PAUSE, SWITCHED_OFF, send_due
from tests.makers import make_order, make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
MINUTE, WEEK = timedelta(minutes=1), timedelta(days=7)


class Refusing(EmailBackend):
    """A mail server that takes no message while `refuses` is set."""

    refuses: Exception | None = smtplib.SMTPDataError(451, b"not now, secret")

    def send_messages(self, messages: Any) -> int:
        if Refusing.refuses:
            raise Refusing.refuses
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _desk_with_mail(settings: Any) -> None:
    settings.EMAIL_CONFIGURED, settings.EMAIL_BACKEND = True, LOCMEM
    settings.DESK_URL = "https://desk.example.com"


@pytest.fixture
def ana() -> User:
    return make_user(Role.OPERATOR, name="Ana", email="ana@example.com", time_zone="Europe/Berlin")


def wanted(person: User, query: str = "period=7", *, owner: User | None = None) -> ReportMail:
    """The mail of a report that this person has ticked."""
    view = SavedView.objects.create(owner=owner or person, name="Week", query=query, is_report=True, shared=True)
    answer = as_user(person).post(f"/reports/saved/{view.pk}/mail/", {"mail": "yes"})
    assert answer.status_code == 302
    return ReportMail.objects.get(view=view, person=person)


def due(mail: ReportMail) -> datetime:
    mail.refresh_from_db()
    return mail.due_at


def sell(created_at: datetime, **fields: Any) -> None:
    """A completed order with a price, for a customer."""
    make_order("completed", service=make_service(name="Reels Views", category="Instagram"), charge=Decimal("1.25"),
               currency="USD", sold_for=Decimal("2.50"), remains=0, created_at=created_at, **fields)  # fmt: skip


@pytest.mark.parametrize(
    ("after", "zone", "expected"),
    [
        ("2026-11-30 05:59", "Europe/Berlin", "2026-11-30 06:00"),
        ("2026-11-30 06:00", "Europe/Berlin", "2026-12-07 06:00"),
        ("2026-12-02 12:00", "", "2026-12-07 07:00"),
        ("2026-11-29 18:30", "Asia/Kathmandu", "2026-11-30 01:15"),
        ("2026-10-24 12:00", "Europe/Berlin", "2026-10-26 06:00"),  # over a clock that is set back
    ],
)
def test_monday_is_that_of_the_person(after: str, zone: str, expected: str) -> None:
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert f"{next_monday(at, zone).astimezone(UTC):%Y-%m-%d %H:%M}" == expected


def test_a_report_is_mailed_on_monday_and_once_a_week(ana: User) -> None:
    mail = wanted(ana)
    at = due(mail)
    sell(at - timedelta(days=2))
    assert send_due(at - MINUTE) == 0
    assert [send_due(at + n * MINUTE) for n in range(3)] == [1, 0, 0]
    [message] = outbox_of.outbox
    assert (message.to, message.subject) == (["ana@example.com"], "[Order Desk] Weekly report: Week")
    assert due(mail) == at + WEEK
    assert send_due(at + WEEK) == 1


def test_a_mail_has_the_figures_a_link_to_them_and_where_to_end_it(ana: User) -> None:
    mail = wanted(ana)
    ReportMail.objects.update(due_at=datetime(2026, 11, 30, 6, tzinfo=UTC))
    sell(datetime(2026, 11, 29, 22, 59, tzinfo=UTC))  # still Sunday in Berlin
    sell(datetime(2026, 11, 29, 23, 1, tzinfo=UTC))
    send_due(due(mail))
    text = str(outbox_of.outbox[0].body)
    assert "Services, 23 to 29 November 2026, whole days in Europe/Berlin" in text
    assert "Spent: $1.25" in text
    assert "Margin: $1.25; 50.0 % of what was sold" in text
    assert "Reels Views: spent $1.25, sold $2.50, margin $1.25, 1 order, delivered 100.0 %, late 0.0 %" in text
    assert f"https://desk.example.com/reports/?from=2026-11-23&to=2026-11-29&view={mail.view_id}" in text
    assert "untick it under Reports, Saved reports" in text
    assert "https://desk.example.com/reports/saved/" in text


def test_money_is_mailed_to_those_alone_who_see_it_at_that_moment(ana: User) -> None:
    mail = wanted(ana)
    sell(due(mail) - timedelta(days=2))
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"operator.money": "off"})
    assert send_due(due(mail)) == 1
    text = str(outbox_of.outbox[0].body)
    assert "$" not in text
    assert "Spent" not in text
    assert "Orders: 1" in text


def test_customers_are_mailed_to_those_alone_who_see_them_at_that_moment(ana: User) -> None:
    mail = wanted(ana, "period=7&split=customer")
    sell(due(mail) - timedelta(days=2), customer=Customer.objects.create(name="Harbour Coffee", created_by=ana))
    send_due(due(mail))
    assert "Harbour Coffee" in outbox_of.outbox[0].body
    User.objects.filter(pk=ana.pk).update(role=Role.VIEWER)
    send_due(due(mail))
    assert "Harbour Coffee" not in outbox_of.outbox[1].body


def test_a_person_who_is_switched_off_is_mailed_nothing(ana: User) -> None:
    mail = wanted(ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert send_due(due(mail)) == 0
    assert outbox_of.outbox == []
    assert (due(mail) > datetime.now(UTC), mail.trouble) == (True, SWITCHED_OFF)


def test_a_report_that_is_not_shared_any_more_is_mailed_to_its_owner_alone(ana: User) -> None:
    mail = wanted(ana, owner=make_user(Role.OWNER))
    SavedView.objects.update(shared=False)
    assert send_due(due(mail)) == 0
    assert due(mail)
    assert (mail.trouble, outbox_of.outbox) == (NOT_SEEN, [])


def test_two_workers_send_one_mail(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = wanted(ana)
    at, first = due(mail), report_mails.message_of

    def meanwhile(row: ReportMail, now: datetime) -> Any:
        other = ReportMail.objects.select_related("view__owner", "person").get(pk=row.pk)
        other.due_at = at  # as the other worker read it before
        assert report_mails.send_one(other, now) is False
        return first(row, now)

    monkeypatch.setattr(report_mails, "message_of", meanwhile)
    assert send_due(at) == 1
    assert len(outbox_of.outbox) == 1


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_worker_that_dies_sends_no_second_mail_and_the_page_tells(
    ana: User, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    mail = wanted(ana)
    at, send = due(mail), mail_server.send

    def killed(message: Any) -> None:
        if dies == "after":
            send(message)
        raise KeyboardInterrupt

    monkeypatch.setattr(mail_server, "send", killed)
    with pytest.raises(KeyboardInterrupt):
        send_due(at)
    monkeypatch.setattr(mail_server, "send", send)
    assert send_due(at + timedelta(hours=1)) == 0
    assert len(outbox_of.outbox) == (dies == "after")
    page = as_user(ana).get("/reports/saved/").content.decode()
    assert "Nobody knows whether the last mail was sent" in page
    assert send_due(at + WEEK) == 1


def test_a_mail_that_is_refused_is_told_of_tried_again_and_goes_in_the_end(ana: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    mail = wanted(ana)
    at, Refusing.refuses = due(mail), smtplib.SMTPDataError(451, b"not now, secret")
    assert send_due(at) == 0
    page = as_user(ana).get("/reports/saved/").content.decode()
    assert "The last mail was not sent: The mail server refused the message (451). It is tried again." in page
    assert "secret" not in page
    assert send_due(at + MINUTE) == 0
    assert due(mail) == at + PAUSE
    Refusing.refuses = None
    assert [send_due(at + PAUSE), send_due(at + 2 * PAUSE)] == [1, 0]
    assert due(mail) == at + WEEK
    assert (mail.trouble, mail.failing_since) == ("", None)


def test_a_mail_that_fails_for_a_day_waits_for_the_next_monday(ana: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    mail = wanted(ana)
    at, Refusing.refuses = due(mail), ConnectionRefusedError()
    for now in (at, at + PAUSE, at + GIVEN_UP_AFTER + PAUSE):
        assert send_due(now) == 0
    assert due(mail) == at + WEEK
    assert mail.trouble.startswith("The mail server could not be reached")
    assert mail.failing_since is None


def test_a_report_that_cannot_be_written_stops_no_other(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, mail = wanted(ana), wanted(make_user(Role.VIEWER, name="Victor", email="victor@example.com"))
    at, first = max(due(broken), due(mail)), letter.letter_of

    def broken_once(view: SavedView, person: User, now: datetime) -> Any:
        return 1 / 0 if view.pk == broken.view_id else first(view, person, now)

    monkeypatch.setattr(letter, "letter_of", broken_once)
    assert send_due(at) == 1
    assert due(broken) > at
    assert "its log says why" in broken.trouble


def test_unticking_ends_it(ana: User) -> None:
    mail = wanted(ana)
    as_user(ana).post(f"/reports/saved/{mail.view_id}/mail/", {})
    assert not ReportMail.objects.exists()
    assert send_due(mail.due_at) == 0


@pytest.mark.parametrize(("has_server", "address", "why"), [(False, "a@b.example", NO_MAIL), (True, "", NO_ADDRESS)])
def test_without_a_mail_server_or_an_address_the_tick_is_refused_in_words(
    settings: Any, has_server: bool, address: str, why: str
) -> None:
    settings.EMAIL_CONFIGURED, person = has_server, make_user(Role.VIEWER, email=address)
    view = SavedView.objects.create(owner=person, name="Week", is_report=True)
    answer = as_user(person).post(f"/reports/saved/{view.pk}/mail/", {"mail": "yes"}, follow=True)
    assert why in answer.content.decode()
    assert not ReportMail.objects.exists()
