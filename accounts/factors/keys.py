"""Encrypts the secrets of second factors at rest, by keys that are made from SECRET_KEY and SECRET_KEY_FALLBACKS."""

import logging
from base64 import b32encode, urlsafe_b64encode
from secrets import token_bytes

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

log = logging.getLogger(__name__)

SALT = "accounts.factors.keys"  # so that these keys open nothing else that SECRET_KEY protects
SECRETS = ("secret", "seed")  # names in an authenticator's data: of an app, and of recovery codes
SECRET_BYTES = 20


def ring() -> MultiFernet:
    """The keys, newest first: the first encrypts, each of them decrypts."""
    texts = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (salted_hmac(SALT, "secrets", secret=text, algorithm="sha256").digest() for text in texts)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


def encrypt(text: str) -> str:
    """What the database may keep of this secret."""
    return ring().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """The secret that was encrypted. Where no key opens it any more, a random one, which no code matches."""
    try:
        return ring().decrypt(text).decode()
    except InvalidToken:
        log.error("The secret of a second factor cannot be read: the SECRET_KEY of its time is missing.")
        return b32encode(token_bytes(SECRET_BYTES)).decode()


def is_encrypted(text: str) -> bool:
    """Whether one of the keys opens this text."""
    try:
        ring().decrypt(text)
    except InvalidToken:
        return False
    return True


def encrypt_again() -> tuple[int, int]:
    """Encrypts every secret by the newest key. Returns how many were, and how many no key opens.

    Each row is locked while it is written, so that no recovery code that is used meanwhile counts as unused again.
    """
    done = unreadable = 0
    for pk in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            kept = {name: row.data[name] for name in SECRETS if name in row.data} if row else {}
            if not all(map(is_encrypted, kept.values())):
                unreadable += 1
            elif row and kept:
                row.data |= {name: ring().rotate(text).decode() for name, text in kept.items()}
                row.save(update_fields=["data"])
                done += 1
    return done, unreadable
