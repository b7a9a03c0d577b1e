"""Keeps sessions in a table of ours, which knows a session's key only as a hash. SESSION_ENGINE names this module."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import DeskSession, digest_of
from accounts.models.session import limits
from panel.ops.database import Given, prepared


@cache
def alive_sessions() -> Callable[..., list[DeskSession]]:
    """Reads the session of a hash, if it still counts. Each request asks this first."""
    within = DeskSession.objects.order_by().within(Given("now"), Given("idle"), Given("oldest"))
    return prepared(within.filter(digest=Given("digest")))


class SessionStore(SessionBase):
    """One session. `row` is what the table knew of it when it was read, or None for a session that is new."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: DeskSession | None = None
        self.began_at: datetime | None = None  # when the person signed in; kept when the key changes
        self.used_at: datetime | None = None  # set for the next save by what a person does
        self.address, self.device = "", ""
        self.ended = False  # whether somebody was signed out in this request

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing when it is unknown, has ended, or was not used for too long."""
        digest, now = digest_of(self.session_key or ""), timezone.now()
        idle, oldest = limits(now)
        self.row = next(iter(alive_sessions()(now=now, idle=idle, oldest=oldest, digest=digest)), None)
        if self.row is None:
            self._session_key = None
            return {}
        self.began_at, self.address, self.device = self.row.began_at, self.row.address, self.row.device
        return self.decode(self.row.session_data)

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with this key."""
        return DeskSession.objects.filter(digest=digest_of(session_key)).exists()

    def create(self) -> None:
        """Gives the session a key of its own, and a row."""
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Writes the session. Raises UpdateError when it was ended meanwhile: what was ended is not written anew."""
        if self.session_key is None:
            self.create()
            return
        now = timezone.now()
        held = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        digest, columns = digest_of(self.session_key), self.columns(held, now)
        if not must_create:
            if not DeskSession.objects.filter(digest=digest).update(**columns):
                raise UpdateError
            return
        began_at, used_at = self.began_at or now, self.used_at or now
        try:
            with transaction.atomic():
                self.row = DeskSession.objects.create(
                    digest=digest, **{**columns, "began_at": began_at, "used_at": used_at}
                )
        except IntegrityError:
            raise CreateError from None

    def columns(self, held: dict[str, Any], now: datetime) -> dict[str, Any]:
        """The columns that a save writes, for a session that holds this."""
        person_id = held.get(SESSION_KEY)
        columns: dict[str, Any] = {
            "session_data": self.encode(held),
            "user_id": int(person_id) if person_id is not None else None,
            "address": self.address,
            "device": self.device,
            "ends_at": now + timedelta(seconds=self.get_expiry_age()),
        }
        moments = {"began_at": self.began_at, "used_at": self.used_at}
        return columns | {name: moment for name, moment in moments.items() if moment}

    def delete(self, session_key: str | None = None) -> None:
        """Takes the session's row away."""
        if key := session_key or self.session_key:
            DeskSession.objects.filter(digest=digest_of(key)).delete()

    def flush(self) -> None:
        """Ends this session; what follows is a new one."""
        self.ended = self.ended or bool(self.row and self.row.user_id)
        super().flush()
        self.row = self.began_at = None

    @classmethod
    def clear_expired(cls) -> None:
        """Deletes what has ended, for Django's `clearsessions`; the chore in end.py calls it too."""
        DeskSession.objects.ended(timezone.now()).delete()
