"""Encrypts the secrets of second factors at rest, by keys that are made from SECRET_KEY and SECRET_KEY_FALLBACKS."""

import logging
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from secrets import token_bytes

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

log = logging.getLogger(__name__)

SALT = "accounts.factors.keys"  # so that these keys open nothing else that SECRET_KEY protects
SECRETS = ("secret", "seed")  # names in an authenticator's data: of an app, and of recovery codes
SECRET_BYTES = 20
NONCE_BYTES = 12
VERSION = "1."  # how what is encrypted begins, so that another cipher can take over


class Unreadable(Exception):
    """No key opens this text."""


def ring() -> list[AESGCM]:
    """The keys of AES-256-GCM, newest first: the first encrypts, each of them decrypts."""
    texts = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [AESGCM(salted_hmac(SALT, "secrets", secret=text, algorithm="sha256").digest()) for text in texts]


def encrypt(text: str) -> str:
    """What the database may keep of this secret."""
    nonce = token_bytes(NONCE_BYTES)
    return VERSION + urlsafe_b64encode(nonce + ring()[0].encrypt(nonce, text.encode(), None)).decode()


def opened(text: str) -> str:
    """The secret that was encrypted. Raises Unreadable."""
    try:
        sealed = urlsafe_b64decode(text.removeprefix(VERSION)) if text.startswith(VERSION) else b""
    except ValueError:
        sealed = b""
    for key in ring() if len(sealed) > NONCE_BYTES else ():
        try:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
        except InvalidTag:
            continue
    raise Unreadable


def decrypt(text: str) -> str:
    """The secret that was encrypted. Where no key opens it any more, a random one, which no code matches."""
    try:
        return opened(text)
    except Unreadable:
        log.error("The secret of a second factor cannot be read: the SECRET_KEY of its time is missing.")
        return b32encode(token_bytes(SECRET_BYTES)).decode()


def is_encrypted(text: str) -> bool:
    """Whether one of the keys opens this text."""
    try:
        opened(text)
    except Unreadable:
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
                row.data |= {name: encrypt(opened(text)) for name, text in kept.items()}
                row.save(update_fields=["data"])
                done += 1
    return done, unreadable
