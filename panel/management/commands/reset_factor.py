"""`manage.py reset_factor USERNAME`: for the only owner, who has lost the phone and the recovery codes too."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.factors.reset import reset
from accounts.models import User


class Command(BaseCommand):
    """Takes a person's second factor away. On the desk an owner does that for others."""

    help = "Removes all second factors of a person, who sets up a new one at the next sign-in if the role needs one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", default="by a command on the server")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username__iexact=options["username"]).first()
        if person is None:
            raise CommandError(f"Nobody has the username {options['username']}.")
        if why := reset(person, by=None, reason=options["reason"]):
            raise CommandError(why)
        self.stdout.write(f"{person} has no second factor any more.")
