"""What is said to people who sign in, set up a second factor, choose a password, or have to wait."""

from collections.abc import Iterator

from accounts.factors.adapter import WRONG_CODE
from accounts.factors.forms import NOT_ALONE, UNREADABLE
from accounts.factors.gate import REMINDER
from accounts.factors.proof import TOO_MANY as TOO_MANY_PROOFS
from accounts.invitations.passwords import KNOWN, OF_DESK, OF_HOST, OF_PERSON, RUN, TOO_LONG, TOO_SHORT
from accounts.invitations.views import MAIL, MAKES, OPENS, RESET_MAIL
from accounts.sessions.views import ended_words
from accounts.sign_in.entrance import SENTENCE as TOO_MANY
from orders.table.views import MANY_EXPORTS
from panel.worker.new_devices import WORDS


def door() -> Iterator[str]:
    """What is said to whoever has to wait, and of a sign-in on a new device."""
    yield from (TOO_MANY.format(minutes=minutes) for minutes in (1, 10))
    yield WORDS.format(username="ana", at="14:02 UTC", device="Firefox on Linux", address="192.0.2.7")
    yield from (ended_words(count) for count in (0, 1, 2))
    yield from (
        TOO_SHORT,
        TOO_LONG,
        KNOWN,
        RUN,
        OF_DESK,
        OF_HOST,
        OF_PERSON,
        WRONG_CODE,
        UNREADABLE,
        NOT_ALONE,
        TOO_MANY_PROOFS,
        MANY_EXPORTS,
    )
    yield REMINDER.format(day="7 December")
    yield " ".join(RESET_MAIL.format(by="Olga", reason="You lost the phone.").split())
    told = {"by": "Olga", "url": "https://desk.example.com/", "until": "7 Dec, 14:02 UTC", "username": "ana"}
    yield from (" ".join(MAIL.format(**told, did=did).split()) for did in (OPENS, MAKES))
