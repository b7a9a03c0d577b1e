"""What people meet on every page where they type a password or have signed in, and what a new desk holds."""

import re
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.invitations import links, mail
from accounts.models import User
from orders.models import Order
from panel.alarms.mail import email_of
from panel.alarms.message import Message
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_service, make_user
from tests.panel.site.test_headers import pages
from tests.people import STRANGER, as_a

pytestmark = pytest.mark.django_db
FIELD = re.compile(r"<input[^>]*name=\"(?:old|proof_|new_)?password\d?\"[^>]*>")


@pytest.mark.slow
def test_passwords_are_hidden_and_may_be_pasted() -> None:
    one_of_everything()
    make_user(Role.OWNER, username="olga")
    _, token = links.make(make_user(username="new"), by=User.objects.get(username="olga"), at=timezone.now())
    stranger = Client()
    choice = stranger.get(f"/accounts/invitation/?t={token}", follow=True)
    shown = [*pages(as_a(Role.OWNER)).values(), *pages(as_a(STRANGER)).values(), choice]
    fields = {field for page in shown for field in FIELD.findall(page.content.decode())}
    assert len(fields) >= 4, fields
    for field in fields:
        assert 'type="password"' in field and "onpaste" not in field and 'autocomplete="off"' not in field, field
        assert re.search(r'autocomplete="(current|new)-password"', field), field


@pytest.mark.slow
def test_every_page_has_a_way_to_sign_out() -> None:
    one_of_everything()
    for route, page in pages(as_a(Role.OWNER)).items():
        text = page.content.decode()
        if page.status_code == 200 and "<html" in text:
            assert re.search(r'action="/(accounts|admin)/logout/"', text), route


def test_a_new_desk_has_no_account() -> None:
    assert not User.objects.exists()


def test_a_form_field_in_the_address_decides_nothing() -> None:
    """A field counts where its form puts it: in the body, and there the last of two."""
    service, client = make_service(), as_a(Role.OWNER)
    client.post(f"/orders/new/?service={service.pk}&quantity=1000&link=https://instagram.com/lumen")
    assert not Order.objects.exists()
    person = make_user(username="theo")
    form = {"username": "theo", "name": "", "email": "", "role": ["viewer", "operator"], "is_active": "on"}
    client.post(f"/admin/accounts/user/{person.pk}/change/?role=owner", form)
    person.refresh_from_db()
    assert person.role == Role.OPERATOR


@pytest.mark.slow
def test_no_address_takes_a_method_from_its_form() -> None:
    one_of_everything()
    client = as_a(Role.VIEWER)
    for route, _ in routes():
        before = client.get(address(route)).status_code
        asked = client.get(address(route), {"_method": "DELETE"}, headers={"X-HTTP-Method-Override": "POST"})
        assert asked.status_code == before or asked.status_code in (200, 302), route


def test_a_mails_head_takes_no_second_line(settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True
    title = "Low\nBcc: evil@example.com"
    with pytest.raises(ValueError, match="newlines"):
        email_of(Message("1", "ana@example.com", title, "words", [])).message()
    assert not mail.send("ana@example.com", title, "words")
    assert not mail.send("ana@example.com\nBcc: evil@example.com", "Low", "words")
    assert not outbox.outbox
