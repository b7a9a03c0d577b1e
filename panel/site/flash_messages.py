"""Where Django keeps the sentence that the next page shows, such as “Saved.”: in a cookie of this host alone."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookie(CookieStorage):
    """Django's cookie, by a name that a browser takes from this host over TLS alone."""

    cookie_name = f"{settings.OWN_COOKIE}messages"


class CookieThenSession(FallbackStorage):
    """The cookie, and the session for what is too long for it."""

    storage_classes = (HostCookie, SessionStorage)
