"""The app that all tables of the accounts belong to."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """The accounts' app. After each migration it installs the triggers of the trail."""

    name = "accounts"

    def ready(self) -> None:
        """Tells the trail of the kinds of the door, and connects what follows a migration. Imports late."""
        from accounts.sign_in.record import KINDS
        from accounts.trail.kinds import learn
        from accounts.trail.triggers import install

        learn({name: kind.group for name, kind in KINDS.items()})
        post_migrate.connect(install, sender=self)
