"""The secrets of second factors are encrypted, and a SECRET_KEY can be changed without anybody losing theirs."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.access import Role
from accounts.factors import keys
from accounts.models import User
from tests.accounts.factors.people import SECRET, STEP, code_now, enter, is_in, secret_of, stored, with_app
from tests.makers import make_user

pytestmark = pytest.mark.django_db
OLD, NEW = "old-key-" * 10, "new-key-" * 10


def told(*command: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*command, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def ana(settings: Any) -> User:
    """A person whose app was set up under the old key."""
    settings.SECRET_KEY = OLD
    user = make_user(username="ana")
    with_app(user)
    return user


def test_a_rotated_key_still_reads_what_the_old_one_wrote(ana: User, settings: Any, client: Client) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    enter(client, ana)
    client.post(STEP, {"code": code_now()})
    assert is_in(client)


def test_after_the_command_the_old_key_can_go(ana: User, settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    before = stored(ana)["secret"], stored(ana, "recovery_codes")["seed"]
    assert told("encrypt_again") == "2 encrypted by SECRET_KEY.\n"
    assert before[0] != stored(ana)["secret"] and before[1] != stored(ana, "recovery_codes")["seed"]
    settings.SECRET_KEY_FALLBACKS = []
    assert secret_of(ana) == SECRET


def test_without_its_key_a_secret_matches_no_code_and_breaks_nothing(ana: User, settings: Any, client: Client) -> None:
    settings.SECRET_KEY = NEW
    assert keys.decrypt(stored(ana)["secret"]) != keys.decrypt(stored(ana)["secret"]), "random each time"
    enter(client, ana)
    assert client.post(STEP, {"code": code_now()}).status_code == 200
    assert not is_in(client)
    assert "2 cannot be read" in told("encrypt_again")


def test_what_was_used_up_stays_so(ana: User, settings: Any) -> None:
    data = stored(ana, "recovery_codes")
    Authenticator.objects.filter(type="recovery_codes").update(data={**data, "used_mask": 5})
    told("encrypt_again")
    assert stored(ana, "recovery_codes")["used_mask"] == 5


def test_at_a_shell_the_only_owner_is_let_in_again() -> None:
    owner = make_user(Role.OWNER, username="olga")
    with_app(owner)
    assert "has no second factor any more" in told("reset_factor", "OLGA", "--reason", "lost it")
    assert not Authenticator.objects.exists()
    for name, why in (("olga", "has no second factor."), ("nobody", "Nobody has the username")):
        with pytest.raises(CommandError, match=why):
            told("reset_factor", name)
