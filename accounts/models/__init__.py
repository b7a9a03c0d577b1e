"""Every table of the accounts: people and what they set, what happens at the door, and sessions.

Import tables from here: `from accounts.models import User`.
"""

from accounts.models.door import DoorEvent, KnownDevice, SignInCount, digest_of
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

__all__ = [
    "FACTORS",
    "PAGE_LENGTHS",
    "UNDO_SECONDS",
    "BalanceReading",
    "BalanceReadingQuerySet",
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
    "User",
    "UserManager",
    "digest_of",
]
