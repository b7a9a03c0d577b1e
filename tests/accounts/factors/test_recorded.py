"""What happens to second factors, passwords and links stands in the record of the door, without a secret."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.access import Role
from accounts.invitations import links
from accounts.models import DoorEvent, User
from tests.accounts.factors.people import SECRET, STEP, enter, grow_old, with_app
from tests.accounts.factors.test_own_factors import set_up
from tests.makers import PASSWORD, make_user
from tests.people import as_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_tried_before")]
NEW = "seven-grey-herons"


def kinds(of: User) -> list[str]:
    """The kinds of events of this person, oldest first."""
    return list(DoorEvent.objects.filter(person=of).order_by("pk").values_list("kind", flat=True))


def test_setting_up_using_and_removing_a_factor() -> None:
    ana = make_user(username="ana")
    here = as_user(ana)
    set_up(here)
    here.post("/accounts/factors/codes/")
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    client = Client()
    enter(client, ana)
    client.post(STEP, {"code": "000000"})
    client.post(STEP, {"code": codes[0]})
    here.post(f"/accounts/factors/{Authenticator.objects.get(type='totp').pk}/removal/")
    assert [kind for kind in kinds(ana) if kind not in ("signed_in", "new_device")] == [
        "factor_added", "recovery_codes_made", "factor_failed", "recovery_code_used", "factor_removed",
    ]  # fmt: skip
    assert SECRET not in str(list(DoorEvent.objects.values()))
    assert not any(code in str(list(DoorEvent.objects.values())) for code in codes)


def test_a_reset_a_link_and_a_chosen_password() -> None:
    owner, ana = make_user(Role.OWNER), make_user(username="ana")
    with_app(ana)
    desk = as_user(owner)
    desk.post(f"/team/{ana.pk}/factors/reset/", {"reason": "Lost the phone"})
    desk.post(f"/team/{ana.pk}/links/")
    desk.post(f"/team/{ana.pk}/links/withdrawal/")
    client = Client()
    _, token = links.make(ana, by=owner)
    client.get("/accounts/invitation/", {"t": token})
    client.post("/accounts/password/choice/", {"new_password1": NEW, "new_password2": NEW})
    assert kinds(ana) == ["factor_reset", "invitation_made", "invitation_withdrawn", "password_reset"]
    reset = DoorEvent.objects.get(kind="factor_reset")
    assert (reset.by, "Lost the phone" in str(reset.facts)) == (owner, True)
    assert token not in str(list(DoorEvent.objects.values()))


def test_proofs_and_changed_passwords() -> None:
    ana = make_user(Role.OWNER, username="ana")
    client = as_user(ana)
    grow_old(client)
    client.post("/orders/sending/stops/", {"reason": "A test", "proof_password": PASSWORD})
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert kinds(ana) == ["reauthenticated", "password_changed"]
    assert PASSWORD not in str(list(DoorEvent.objects.values()))
