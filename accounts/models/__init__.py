"""Every table of the accounts: people and what they set, what happens at the door, sessions, and the trail.

Import tables from here: `from accounts.models import User`.
"""

from accounts.models.door import KnownDevice, SignInCount, digest_of
from accounts.models.people import (
    FACTORS,
    PAGE_LENGTHS,
    UNDO_SECONDS,
    BalanceReading,
    BalanceReadingQuerySet,
    Density,
    DeskSettings,
    PasswordLink,
    SettingChange,
    SettingChangeManager,
    Theme,
    User,
    UserManager,
)
from accounts.models.session import DeskSession
from accounts.models.trail import ChainHead, ChainLink, ChainWatch, DoorEvent, TrailLine, TrailQuerySet

__all__ = [
    "FACTORS",
    "PAGE_LENGTHS",
    "UNDO_SECONDS",
    "BalanceReading",
    "BalanceReadingQuerySet",
    "ChainHead",
    "ChainLink",
    "ChainWatch",
    "Density",
    "DeskSession",
    "DeskSettings",
    "DoorEvent",
    "KnownDevice",
    "PasswordLink",
    "SettingChange",
    "SettingChangeManager",
    "SignInCount",
    "Theme",
    "TrailLine",
    "TrailQuerySet",
    "User",
    "UserManager",
    "digest_of",
]
